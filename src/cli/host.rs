//! `sysadm host`.

use std::sync::Arc;

use super::columns::{Column, table};
use super::context::Context;
use super::{CliError, Exit, ui};
use crate::host::{Host, Remote};
use crate::model::{Facts, HostUri, format_bytes};

/// Ask other hosts how they are
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::HOST)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Connect to a host, and say what it is and whether it takes zones
    Check {
        /// ssh://USER@HOST:PORT or rads://HOST:PORT; user and port may be left out
        uri: HostUri,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Ask every host that is a target
    List,
}

struct Line {
    uri: HostUri,
    answer: Result<Facts, String>,
}

const COLUMNS: &[Column<Line>] = &[
    Column { name: "TARGET", width: 24, value: |line| Some(line.uri.to_string()) },
    Column {
        name: "PLATFORM",
        width: 9,
        value: |line| line.answer.as_ref().ok().map(|facts| facts.platform.clone()),
    },
    Column {
        name: "FREE",
        width: 6,
        value: |line| line.answer.as_ref().ok().map(|facts| format_bytes(facts.memory_free)),
    },
    Column {
        name: "CPUS",
        width: 4,
        value: |line| line.answer.as_ref().ok().map(|facts| facts.cpus.to_string()),
    },
    Column {
        name: "STATE",
        width: 5,
        value: |line| {
            Some(match &line.answer {
                Ok(facts) => facts
                    .maintenance
                    .as_ref()
                    .map_or_else(|| "in service".to_owned(), |who| format!("maintenance: {who}")),
                Err(reason) => reason.clone(),
            })
        },
    },
];

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    match args.action {
        Action::Check { uri, json } => check(&context, uri, json).await,
        Action::List => list(&context).await,
    }
}

async fn check(context: &Context, uri: HostUri, json: bool) -> Result<Exit, CliError> {
    let facts = Remote::connect(uri.clone(), context.dialer()).await?.facts().await?;
    if json {
        let text = serde_json::to_string_pretty(&facts).map_err(|error| CliError::new(Exit::Error, error))?;
        ui::print(&format!("{text}\n"));
    } else {
        let memory = format!("{} of {} free", format_bytes(facts.memory_free), format_bytes(facts.memory));
        let state = facts
            .maintenance
            .as_ref()
            .map_or_else(|| "in service".to_owned(), |who| format!("in maintenance ({who})"));
        let lines = [
            ("host", &facts.host),
            ("software", &format!("sysadm {}", facts.software)),
            ("hypervisor", &facts.hypervisor),
            ("machine", &format!("{}, {} cpus", facts.arch, facts.cpus)),
            ("memory", &memory),
            ("state", &state),
        ];
        ui::print(&lines.map(|(name, value)| format!("{name:<11} {}\n", ui::clean(value))).concat());
    }
    Ok(if facts.maintenance.is_some() { Exit::Refused } else { Exit::Done })
}

async fn list(context: &Context) -> Result<Exit, CliError> {
    let targets = context.store()?.targets()?;
    let mut uris: Vec<_> = targets.into_values().flatten().collect();
    uris.sort();
    uris.dedup();
    let dialer = context.dialer();
    let asking = uris.into_iter().map(|uri| async {
        let answer = async {
            let remote = Remote::connect(uri.clone(), Arc::clone(&dialer))
                .await
                .map_err(|error| crate::host::chain(&error))?;
            remote.facts().await.map_err(|error| error.to_string())
        };
        let answer = answer.await;
        Line { uri, answer }
    });
    let lines = futures::future::join_all(asking).await;
    if lines.is_empty() {
        ui::say("no targets are set");
    } else {
        ui::print(&table(COLUMNS, &lines));
    }
    Ok(if lines.iter().all(|line| line.answer.is_ok()) { Exit::Done } else { Exit::Partly })
}
