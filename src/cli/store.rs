//! `sysadm store`.

use std::path::PathBuf;

use serde_json::json;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::Millis;
use crate::run_lock::{RunLock, is_running};
use crate::store::{CheckContext, Contents, Finding, Needs, Recovered, StoreError, check, damaged, recover};

/// Look after the database of this host
///
/// In it is what must survive a crash or a reboot: who holds this host in maintenance, where zones go, which
/// zones are away and how they were configured, and what was about to be done with each.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::STORE)]
pub struct Args {
    #[command(subcommand)]
    action: StoreCommand,
}

#[derive(Debug, clap::Subcommand)]
enum StoreCommand {
    /// Tell whether the database is whole, and what in it waits for somebody
    ///
    /// Looks for damage first. If there is none: for records that contradict each other, for moves that were interrupted and not settled, for steps
    /// whose end is not recorded, for a lock marker that is there without maintenance or missing during it,
    /// and for what will settle itself. Each finding is a line that says what to do. Changes nothing, and may
    /// be used while an evacuation runs; what that works on is not judged.
    #[command(after_long_help = super::help::STORE_CHECK)]
    Check {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Copy the database into a file, also while an evacuation writes to it
    ///
    /// The copy is the database as it is at one moment: one file, which only its owner can read, and which
    /// needs no other beside it. It is looked over before it gets its name, so FILE is a whole backup or not
    /// there. It holds the configurations of zones that are away.
    #[command(after_long_help = super::help::STORE_BACKUP)]
    Backup {
        /// The copy; must not exist yet
        file: PathBuf,
    },
    /// Save what can be read of a damaged database into a new one
    ///
    /// Every row that is whole is saved, whichever other part of the file is damaged, and what is lost is named as
    /// far as that is known. The new database takes the place of the damaged one, which is kept beside it. Neither
    /// a run nor an agent may be at work. A backup, if there is one, has more.
    #[command(after_long_help = super::help::STORE_RECOVER)]
    Recover,
}

pub fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    match args.action {
        StoreCommand::Check { json } => look(&context, json),
        StoreCommand::Backup { file } => {
            let nothing = || {
                let path = context.paths.database();
                CliError::new(Exit::Error, format!("there is no {} yet, so nothing to copy", path.display()))
            };
            context.store_to_read()?.ok_or_else(nothing)?.backup(&file)?;
            Ok(Exit::Done)
        }
        StoreCommand::Recover => save(&context),
    }
}

fn save(context: &Context) -> Result<Exit, CliError> {
    let path = context.paths.database();
    let nothing =
        || CliError::new(Exit::Error, format!("there is no {}, so nothing to recover", path.display()));
    match context.open_to_read() {
        Ok(None) => return Err(nothing()),
        Err(error @ StoreError::Missing { .. }) => return Err(error.into()),
        // It is looked at once more when no run can begin.
        _ => {}
    }
    let _lock = RunLock::take(&context.paths, "store recover")?;
    let Some(recovered) = recover(&path)? else {
        ui::say("the database is not damaged; nothing was changed");
        return Ok(Exit::Done);
    };
    let Recovered { kept, saved, lost } = recovered;
    context.audit(&format!(
        "{} was damaged, and recovered by {}: {} thing(s) lost; the damaged file is {}",
        path.display(),
        Context::user(),
        lost.len(),
        kept.display()
    ));
    saved.iter().for_each(|(table, rows)| ui::say(&format!("{table}: {rows} row(s) saved")));
    lost.iter().for_each(|line| ui::complain(&format!("lost: {line}")));
    ui::say(&format!("the damaged file is kept: {}", kept.display()));
    if lost.is_empty() {
        return Ok(Exit::Done);
    }
    ui::complain(
        "compare 'sysadm evacuate -l' with the zones that other hosts run before you return or start any",
    );
    Ok(Exit::Partly)
}

fn look(context: &Context, as_json: bool) -> Result<Exit, CliError> {
    let now = || (is_running(&context.paths), context.paths.lock_marker().exists());
    // Before and after: what begins or ends meanwhile is no contradiction.
    let before = now();
    let around = || {
        let after = now();
        let marker = (before.1 == after.1).then_some(after.1);
        CheckContext { running: before.0 || after.0, marker, now: Millis::now() }
    };
    let findings = match context.open_to_read() {
        Ok(Some(store)) => store.check(around)?,
        Ok(None) => check(&Contents::default(), &around()),
        Err(StoreError::Damaged { what, .. }) => vec![damaged(&what)],
        Err(error) => return Err(error.into()),
    };
    if as_json {
        let text = serde_json::to_string_pretty(&document(context, &findings));
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?))?;
    } else {
        findings.iter().for_each(|finding| ui::say(&line(finding)));
        if !findings.iter().any(|finding| finding.kind.needs() != Needs::Nobody) {
            ui::say("the database is whole, and nothing in it waits for you");
        }
    }
    Ok(exit_of(&findings))
}

fn line(finding: &Finding) -> String {
    match &finding.zone {
        Some(zone) => format!("{zone}: {}", finding.text),
        None => finding.text.clone(),
    }
}

fn exit_of(findings: &[Finding]) -> Exit {
    match findings.iter().map(|finding| finding.kind.needs()).max() {
        None | Some(Needs::Nobody) => Exit::Done,
        Some(Needs::Operator) => Exit::Partly,
        Some(Needs::Backup) => Exit::Stuck,
    }
}

fn document(context: &Context, findings: &[Finding]) -> serde_json::Value {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "kind": finding.kind, "needs": finding.kind.needs(), "zone": finding.zone, "text": finding.text,
            })
        })
        .collect();
    json!({ "schema_version": 1, "host": context.host_name(), "findings": findings })
}
