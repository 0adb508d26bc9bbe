//! `sysadm setup`.

use std::path::PathBuf;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::config::PlatformKind;
use crate::file::FileChange;
use crate::platform::libvirt::hooks;
use crate::policy::files;

/// Make the hypervisor itself respect maintenance
///
/// Installs a hook for each of libvirt's drivers. From then on libvirt refuses 'virsh start' and incoming
/// migrations while maintenance is held. Hooks that are there already keep working. Installs the policies,
/// too, to be read and edited; one that was edited stays as it is. Doing it again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::SETUP)]
pub struct Args {
    /// Take the hooks, and the policies that were not edited, away again
    #[arg(long)]
    uninstall: bool,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let policies =
        if args.uninstall { files::uninstall(&context.paths) } else { files::install(&context.paths) };
    say_each(&policies?);
    if context.config.platform != PlatformKind::Libvirt {
        ui::say("no hooks to set up: simulated zones respect maintenance as they are");
        return Ok(Exit::Done);
    }
    let changes =
        if args.uninstall { hooks::uninstall(&context.paths) } else { hooks::install(&context.paths) };
    let changes = changes.map_err(|error| CliError::new(Exit::Error, error))?;
    say_each(&changes);
    if changes.iter().any(|(_, change)| *change == FileChange::Installed) {
        ui::say(
            "libvirt looks for new hooks when it starts: systemctl restart libvirtd (zones that run go on running)",
        );
    }
    Ok(Exit::Done)
}

fn say_each(changes: &[(PathBuf, FileChange)]) {
    changes.iter().for_each(|(path, change)| ui::say(&format!("{}: {change}", path.display())));
}
