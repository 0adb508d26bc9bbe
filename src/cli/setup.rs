//! `sysadm setup`.

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::config::PlatformKind;
use crate::hooks::{self, Change};

/// Make the hypervisor itself respect maintenance
///
/// Installs a hook for each of libvirt's drivers. From then on libvirt refuses 'virsh start' and incoming
/// migrations while maintenance is held. Hooks that are there already keep working. Doing it again changes
/// nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::SETUP)]
pub struct Args {
    /// Take the hooks away again
    #[arg(long)]
    uninstall: bool,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    if context.platform_kind() != PlatformKind::Libvirt {
        ui::say("nothing to set up: simulated zones respect maintenance as they are");
        return Ok(Exit::Done);
    }
    let changes =
        if args.uninstall { hooks::uninstall(&context.paths) } else { hooks::install(&context.paths) };
    let changes = changes.map_err(|error| CliError::new(Exit::Error, error))?;
    let mut restart = false;
    for (path, change) in changes {
        ui::say(&format!("{}: {change}", path.display()));
        restart |= change == Change::Installed;
    }
    if restart {
        ui::say(
            "libvirt looks for new hooks when it starts: systemctl restart libvirtd (zones that run go on running)",
        );
    }
    Ok(Exit::Done)
}
