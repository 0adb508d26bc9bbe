//! `sysadm setup`.

use std::path::PathBuf;

use super::context::Context;
use super::policy::files;
use super::{CliError, Exit, ui};
use crate::file::FileChange;
use crate::model::Message;

/// Make libvirt enforce maintenance, and install the policies
///
/// Installs a hook for each libvirt driver. From then on libvirt itself refuses 'virsh start' and incoming migrations
/// during maintenance. Existing hooks are kept. The built-in policies are copied to /etc/sysadm/policies, where you
/// can edit them; edited ones are not overwritten. Run this as root on every host. Running it again is harmless.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::SETUP)]
pub struct Args {
    /// Remove the hooks, and the policies that were not edited
    #[arg(long)]
    uninstall: bool,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let policies =
        if args.uninstall { files::uninstall(&context.paths) } else { files::install(&context.paths) };
    say_each(&policies?);
    let platform = context.platform()?;
    let Some(enforcer) = platform.enforcer() else { return Ok(Exit::Done) };
    let changes = if args.uninstall { enforcer.uninstall() } else { enforcer.install() };
    let changes = changes.map_err(|error| CliError::new(Exit::Error, error))?;
    say_each(&changes);
    if let Some(Message { text, hints }) = enforcer.note(&changes) {
        ui::say(&text);
        ui::hint(&hints);
    }
    Ok(Exit::Done)
}

fn say_each(changes: &[(PathBuf, FileChange)]) {
    changes.iter().for_each(|(path, change)| ui::say(&format!("{}: {change}", path.display())));
}
