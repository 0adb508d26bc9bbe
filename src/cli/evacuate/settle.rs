//! `sysadm evacuate --resume` and `--forget`: settles what earlier runs have left open, or discards its record.

use std::sync::Arc;

use super::progress::{Reporter, Verbosity};
use crate::admin::GivenUp;
use crate::cancel::Cancel;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::evacuation::{EventSink, recover};
use crate::host::Host;
use crate::model::{Message, ZoneName};
use crate::run_lock::RunLock;
use crate::store::Direction;

/// Settles interrupted moves, and does nothing else.
pub async fn resume(context: &Context, verbosity: Verbosity) -> Result<Exit, CliError> {
    let reporter = Arc::new(Reporter::new(Direction::Evacuate, verbosity));
    let engine = context.engine(Arc::clone(&reporter) as Arc<dyn EventSink>, Cancel::default())?;
    let _lock = RunLock::take(&context.paths, "evacuate --resume")?;
    let was_open = engine.store.zones()?.iter().any(|record| record.place.is_interim());
    let settled = recover::settle_all(&engine).await?;
    reporter.finish();
    let ending = engine.store.stopped()?.iter().any(|record| record.place.is_interim());
    for down in &settled.down {
        ui::complain(down.message());
    }
    if !settled.open.is_empty() || ending {
        return Ok(Exit::Stuck);
    }
    if !settled.down.is_empty() {
        ui::say("all interrupted moves are resolved, but some zones are down");
        return Ok(Exit::Partly);
    }
    if !was_open {
        ui::say("no interrupted moves");
        return Ok(Exit::Done);
    }
    ui::say("all interrupted moves are resolved");
    ui::hint(&["'sysadm evacuate -l' shows where each zone is".to_owned()]);
    Ok(Exit::Done)
}

/// Discards the record that a zone is away or stopped here, or that a zone here belongs to another host.
pub async fn forget(context: &Context, zone: &ZoneName) -> Result<Exit, CliError> {
    let store = context.store()?;
    let zone = &context.zone(&store, zone).await?;
    let local = context.local(store)?;
    let admin = crate::cli::zone::admin(context, &local);
    let (said, audited) = match admin.give_up(zone).await? {
        Some(GivenUp::Stopped) => (
            Message::from("it is stopped here, and will not be booted on return"),
            ", stopped here,".to_owned(),
        ),
        Some(GivenUp::Here(location)) => (
            Message::from(format!("it was recorded as evacuated to {location}, but is here")),
            format!(", recorded at {location},"),
        ),
        Some(GivenUp::Configured(location)) => (
            Message::from(format!("it was last on {location} and is now configured here")).with_hints([
                format!("if no other host has it: sysadm zone attach {zone}"),
                format!("to delete its configuration: sysadm zone delete {zone}"),
            ]),
            format!(", last at {location},"),
        ),
        Some(GivenUp::Home(home)) => {
            context.audit(&format!("{zone}, of {home}, made a zone of this host by {}", admin.user));
            ui::say(&format!("{zone}: now belongs to this host, and no longer to {home}"));
            return Ok(Exit::Done);
        }
        None => {
            context.must_be_known(&local.inventory().await?, std::slice::from_ref(zone))?;
            let text = Message::from(format!("{zone} is not away from this host"));
            return Err(CliError::new(
                Exit::Error,
                text.with_hint("'sysadm evacuate -l' lists the zones that are away"),
            ));
        }
    };
    context.audit(&format!("record of {zone}{audited} discarded by {}", admin.user));
    ui::say(&format!("{zone}: record discarded; {said}"));
    ui::hint(&said.hints);
    Ok(Exit::Done)
}
