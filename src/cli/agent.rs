//! `sysadm agent`: serves this host to others.

use std::sync::Arc;

use super::context::Context;
use super::{CliError, Exit, ui, zone};
use crate::host::Local;
use crate::model::Message;
use crate::{agent, failover};

/// Serve requests from other hosts
///
/// Every host that zones are moved to needs an agent. With --listen it runs as a service and accepts rads://
/// connections. With --stdio it serves a single connection; sshd starts it that way for ssh:// targets.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::AGENT)]
#[command(group(clap::ArgGroup::new("way").required(true).args(["listen", "stdio"])))]
pub struct Args {
    /// Accept TLS connections on this address. Default: the one in sysadm.toml, or all addresses, port 12302
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "")]
    listen: Option<String>,
    /// Serve one connection on standard input and output
    #[arg(long)]
    stdio: bool,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let mut context = Context::load()?;
    let store = context.store()?;
    let host = context.local(store)?;
    if args.stdio {
        agent::stdio::run(host).await.map_err(|error| CliError::new(Exit::Error, error))?;
        return Ok(Exit::Done);
    }
    if let Some(address) = args.listen.filter(|address| !address.is_empty()) {
        Arc::make_mut(&mut context.config).agent.listen = address;
    }
    let listener = agent::listen::Listener::bind(Arc::clone(&context.config), context.paths.clone()).await;
    let listener = listener.map_err(|error| CliError::new(Exit::Error, error))?;
    ui::complain(format!("agent: listening on {}", listener.address()));
    schedule(&context, Arc::clone(&host))?;
    listener.run(host, Arc::new(|line: Message| ui::log(line)), stop_signal()).await;
    Ok(Exit::Done)
}

/// Leaves the manifests of all zones with their targets at regular intervals, as long as this process runs.
fn schedule(context: &Context, host: Arc<Local>) -> Result<(), CliError> {
    let Some(every) = context.config.standby.every() else { return Ok(()) };
    let (store, peers) = (context.store()?, context.peers(Some(&host)));
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Each problem is reported once, not every time.
        let mut said = Vec::new();
        loop {
            ticks.tick().await;
            let problems = match failover::replicate(&host, &store, &peers, &[]).await {
                Ok(report) => zone::standby_problems(&report),
                Err(error) => vec![error.into()],
            };
            problems.iter().filter(|line| !said.contains(*line)).for_each(ui::log);
            said = problems;
        }
    });
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
