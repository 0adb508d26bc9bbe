//! `sysadm store`.

use std::path::PathBuf;

use serde_json::json;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::Millis;
use crate::run_lock::{RunLock, is_running};
use crate::store::{CheckContext, Contents, Finding, Needs, Recovered, StoreError, check, damaged, recover};

/// Check, back up and recover the database of this host
///
/// The database holds what must survive a crash or a reboot: maintenance, targets, evacuated zones with their
/// configurations, and a journal of every move.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::STORE)]
pub struct Args {
    #[command(subcommand)]
    action: StoreCommand,
}

#[derive(Debug, clap::Subcommand)]
enum StoreCommand {
    /// Check database integrity, and list records that need attention
    ///
    /// Checks for damage first, then for contradictions, interrupted moves, steps without a recorded outcome, and a
    /// file /var/lib/sysadm/maintenance that does not match the database. Each finding says what to do. This command changes
    /// nothing and is safe during an evacuation, whose zones it does not report.
    #[command(after_long_help = super::help::STORE_CHECK)]
    Check {
        /// Print a JSON document
        #[arg(long)]
        json: bool,
    },
    /// Back up the database to a file, even during an evacuation
    ///
    /// The backup is a consistent copy in a single file (mode 0600). It is verified before it gets its name, so if FILE
    /// exists it is complete. It contains the configurations of evacuated zones, which may include passwords.
    #[command(after_long_help = super::help::STORE_BACKUP)]
    Backup {
        /// Backup to create; must not exist yet
        file: PathBuf,
    },
    /// Recover what can be read of a damaged database
    ///
    /// Copies every intact row to a new database and lists what is lost, as far as that can be determined. The new
    /// database replaces the damaged one, which is kept next to it. No run or agent may be active. If you have a recent
    /// backup, consider restoring that instead.
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
        // It is checked once more when no run can begin.
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
    saved.iter().for_each(|(table, rows)| ui::say(&format!("{table}: {rows} row(s) recovered")));
    lost.iter().for_each(|line| ui::complain(format!("lost: {line}")));
    ui::say(&format!("the damaged file was kept as {}", kept.display()));
    if lost.is_empty() {
        return Ok(Exit::Done);
    }
    ui::hint(&[
        "compare 'sysadm evacuate -l' with the zones that other hosts run before you return or start any"
            .to_owned(),
    ]);
    Ok(Exit::Partly)
}

fn look(context: &Context, as_json: bool) -> Result<Exit, CliError> {
    let now = || (is_running(&context.paths), context.paths.lock_marker().exists());
    // Before and after: what begins or ends meanwhile is not a contradiction.
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
        findings.iter().map(Finding::message).for_each(|message| {
            ui::say(&message.text);
            ui::hint(&message.hints);
        });
        if !findings.iter().any(|finding| finding.kind.needs() != Needs::Nobody) {
            ui::say("the database is intact and no record needs attention");
        }
    }
    Ok(exit_of(&findings))
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
                "hint": finding.hint,
            })
        })
        .collect();
    json!({ "schema_version": 1, "host": context.host_name(), "findings": findings })
}
