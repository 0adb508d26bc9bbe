//! `sysadm maintain`.

use jiff::tz::TimeZone;

use super::columns::{Column, parsable, pick, table};
use super::context::Context;
use super::time_arg::TimeArg;
use super::{CliError, Exit, ui};
use crate::maintenance::{self, Ended};
use crate::model::{Message, Millis, format_minute};
use crate::store::{Announcement, Holder, MaintenanceType};

/// Start, end, list or announce maintenance of this host
///
/// During maintenance no zone can boot, attach or arrive on this host. Once 'sysadm setup' has been run, libvirt
/// enforces this itself. Running zones are not affected: move them with 'sysadm evacuate'. Maintenance survives reboots
/// and lasts until it is ended. Several parties can hold the host in maintenance (--type); it is back in service when
/// the last one has ended its maintenance.
///
/// Announcing maintenance does not block anything on this host, but other hosts no longer send zones here, except
/// zones that belong here. Starting maintenance clears the announcement. If nobody starts it at the announced time, the
/// announcement stays in effect.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("action").required(true).args(["start", "end", "list", "announce"])))]
#[command(after_long_help = super::help::MAINTAIN)]
pub struct Args {
    /// Start maintenance
    #[arg(short, long)]
    start: bool,
    /// End the maintenance of --type; if the host is not in maintenance, withdraw the announcement
    #[arg(short, long)]
    end: bool,
    /// List the holders of maintenance, and the announcement
    #[arg(short, long)]
    list: bool,
    /// Announce when maintenance will begin: "YYYY-MM-DD HH:MM" (local time), +90min, +2h, or none to withdraw
    #[arg(long, value_name = "WHEN")]
    announce: Option<TimeArg>,
    /// Reason; shown by -l and in every refusal
    #[arg(short, long, conflicts_with_all = ["end", "list"])]
    message: Option<String>,
    /// Holder: admin, or a word of your choice (power, network, ...)
    #[arg(long = "type", value_name = "TYPE", default_value_t, conflicts_with_all = ["list", "announce"])]
    kind: MaintenanceType,
    /// Print stable output for scripts: no header, fields separated by ':', with '\' before ':' and '\'; requires -o
    #[arg(short, long, requires = "output", conflicts_with_all = ["start", "end", "announce"])]
    parsable: bool,
    /// Fields to list: TYPE, USER, DATE, MESSAGE, or all
    #[arg(short, long, value_name = "FIELD,...", conflicts_with_all = ["start", "end", "announce"])]
    output: Option<String>,
}

const COLUMNS: &[Column<Holder>] = &[
    Column { name: "TYPE", width: 6, value: |holder| Some(holder.kind.to_string()) },
    Column { name: "USER", width: 8, value: |holder| Some(holder.user.clone()) },
    Column {
        name: "DATE",
        width: 18,
        value: |holder| Some(format_minute(holder.since, &TimeZone::system())),
    },
    Column { name: "MESSAGE", width: 7, value: |holder| holder.message.clone() },
];

pub fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    if let Some(when) = &args.announce {
        announce(&context, when, args.message)
    } else if args.list {
        list(&context, &args)
    } else if args.start {
        start(&context, args)
    } else {
        end(&context, &args)
    }
}

fn start(context: &Context, args: Args) -> Result<Exit, CliError> {
    let holder =
        Holder { kind: args.kind, user: Context::user(), since: Millis::now(), message: args.message };
    maintenance::start(&*context.store()?, &context.paths, &holder)?;
    let message = holder.message.map(|text| format!(": {text}")).unwrap_or_default();
    context.audit(&format!("maintenance of type {} started by {}{message}", holder.kind, holder.user));
    if let Some(Message { text, hints }) = context.platform()?.enforcer().and_then(|enforcer| enforcer.gap())
    {
        ui::complain(Message::from(format!("warning: {text}")).with_hints(hints));
    }
    Ok(Exit::Done)
}

fn end(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match maintenance::end(&*context.store()?, &context.paths, &args.kind)? {
        Ended::Announced => called_off(context),
        Ended::Held(rest) => {
            context.audit(&format!("maintenance of type {} ended by {}", args.kind, Context::user()));
            if let Some(holders) = maintenance::describe(&rest) {
                ui::complain(format!("this host is still in maintenance: {holders}"));
            }
        }
    }
    Ok(Exit::Done)
}

fn announce(context: &Context, when: &TimeArg, message: Option<String>) -> Result<Exit, CliError> {
    let now = Millis::now();
    match when
        .moment(now, &TimeZone::system())
        .map_err(|error| CliError::usage(Message::of(&error).about("--announce")))?
    {
        Some(begins) => {
            let announcement = Announcement { begins, user: Context::user(), since: now, message };
            context.store()?.announce(&announcement)?;
            let told = maintenance::foretell(&announcement, now);
            context.audit(&format!("maintenance announced by {} for {told}", announcement.user));
        }
        None if context.store()?.call_off()? => called_off(context),
        None => {}
    }
    Ok(Exit::Done)
}

fn called_off(context: &Context) {
    context.audit(&format!("announced maintenance called off by {}", Context::user()));
}

fn list(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let columns = pick(COLUMNS, COLUMNS.len(), args.output.as_deref())?;
    let (holders, announcement) = match context.store_to_read()? {
        Some(store) => (store.holders()?, store.announcement()?),
        None => (Vec::new(), None),
    };
    if args.parsable {
        ui::print(&parsable(&columns, &holders))?;
    } else if holders.is_empty() {
        ui::say("not in maintenance");
    } else {
        ui::print(&table(&columns, &holders))?;
    }
    if let Some(announcement) = announcement.filter(|_| !args.parsable) {
        let told = maintenance::foretell(&announcement, Millis::now());
        ui::say(&format!("maintenance announced by {} for {told}", announcement.user));
    }
    if holders.is_empty() && context.paths.lock_marker().exists() {
        let left = "warning: a crash left a lock marker that still blocks zones from starting";
        ui::complain(Message::from(left).with_hint("'sysadm maintain -e' removes it"));
    }
    Ok(Exit::Done)
}
