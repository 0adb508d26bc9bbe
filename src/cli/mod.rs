//! The command line: one file for each subcommand; no decisions are made here.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "comments on arguments are their help: brackets are not links"
)]

mod agent;
mod cert;
mod columns;
mod context;
mod demo;
#[cfg(test)]
mod documentation;
mod error;
mod evacuate;
mod help;
mod host;
mod maintain;
mod named;
mod plan;
mod policy;
mod setup;
mod sim;
mod store;
mod syslog;
mod target;
mod time_arg;
mod ui;
mod usage;
mod zone;

use clap::{CommandFactory, Parser, Subcommand};

pub use error::{CliError, Exit};

use crate::model::chain;

/// Evacuate a host's zones before maintenance, and bring them back afterwards
///
/// Zones are the KVM and LXC guests of libvirt. sysadm checks that other hosts
/// can take them, and moves them there: several at a time, and live if possible.
/// After the maintenance it brings each zone back.
///
/// A typical session, on a host where 'sysadm setup' has been run:
///
///   sysadm target set --default ssh://root@h2    choose where zones go
///   sysadm evacuate -na                          can they move? (changes nothing)
///   sysadm maintain -s -m 'new kernel'           no zone starts or arrives here
///   sysadm evacuate -a                           move all zones away
///   sysadm evacuate -l                           is the host empty? then work on it
///   sysadm maintain -e                           put the host back in service
///   sysadm evacuate -ra                          bring all zones back
#[derive(Debug, Parser)]
#[command(name = "sysadm", version, verbatim_doc_comment, after_long_help = help::SYSADM)]
struct Cli {
    #[command(subcommand)]
    command: SysadmCommand,
}

#[derive(Debug, Subcommand)]
enum SysadmCommand {
    Maintain(maintain::Args),
    Evacuate(evacuate::Args),
    Target(target::Args),
    Plan(plan::Args),
    Policy(policy::Args),
    Zone(zone::Args),
    Host(host::Args),
    Store(store::Args),
    Setup(setup::Args),
    Cert(cert::Args),
    Agent(agent::Args),
    Demo(demo::Args),
    Sim(sim::Args),
    /// Print a completion script for a shell
    ///
    /// Examples: sysadm completion bash > /etc/bash_completion.d/sysadm,
    /// sysadm completion zsh > /usr/share/zsh/site-functions/_sysadm
    Completion {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// Parses the command line, runs the command, and returns the exit status.
pub fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ended(told(&error)),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui::complain(format!("failed to start: {}", chain(&error)));
            return Exit::Error.into();
        }
    };
    let result = runtime.block_on(run(cli.command));
    runtime.shutdown_background();
    ended(result)
}

/// The exit status. If the output could not be written completely, the command has failed.
fn ended(result: Result<Exit, CliError>) -> std::process::ExitCode {
    let (exit, error) = match (result, ui::unwritten()) {
        (Ok(exit), None) => return exit.into(),
        (Ok(Exit::Done), Some(error)) => (error.exit, error),
        (Ok(exit), Some(error)) => (exit, error),
        (Err(error), _) => (error.exit, error),
    };
    ui::complain(error.message());
    exit.into()
}

/// Prints help, the version, or what is wrong with the command line.
fn told(error: &clap::Error) -> Result<Exit, CliError> {
    if error.use_stderr() {
        return Ok(usage::complain(error));
    }
    let text = error.render();
    ui::print(&if ui::in_colour() { text.ansi().to_string() } else { text.to_string() })?;
    Ok(Exit::Done)
}

async fn run(command: SysadmCommand) -> Result<Exit, CliError> {
    match command {
        SysadmCommand::Maintain(args) => maintain::run(args),
        SysadmCommand::Evacuate(args) => evacuate::run(args).await,
        SysadmCommand::Target(args) => target::run(args).await,
        SysadmCommand::Plan(args) => plan::run(args).await,
        SysadmCommand::Policy(args) => policy::run(args),
        SysadmCommand::Zone(args) => zone::run(args).await,
        SysadmCommand::Host(args) => host::run(args).await,
        SysadmCommand::Store(args) => store::run(args),
        SysadmCommand::Setup(args) => setup::run(&args),
        SysadmCommand::Cert(args) => cert::run(args),
        SysadmCommand::Agent(args) => agent::run(args).await,
        SysadmCommand::Demo(args) => demo::run(&args).await,
        SysadmCommand::Sim(args) => sim::run(args).await,
        SysadmCommand::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sysadm", &mut script);
            ui::print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
