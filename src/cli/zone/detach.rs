//! `sysadm zone detach`.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::failover;
use crate::host::Host;
use crate::model::{Message, ZoneName};

/// Detach a zone from this host, so that it can be attached to another one
///
/// The zone must not be running. Its configuration, and a list of the host's software that it depends on, are written to
/// a manifest: in its zonepath, if it has one, and always in this host's database. Then the zone is removed from libvirt
/// and becomes 'configured'. Its data are not touched.
#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_DETACH)]
pub struct Args {
    /// Zone
    #[arg(value_parser = ZoneName::typed)]
    zone: ZoneName,
    /// Only print the manifest, for 'sysadm zone attach -n' on another host. The zone may be running
    #[arg(short = 'n', long = "print")]
    dry_run: bool,
    /// Also write the manifest to FILE, which must not exist yet (mode 0600: it may contain passwords)
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    manifest: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let store = if args.dry_run { context.store_to_ask()? } else { context.store()? };
    let zone = &context.zone(&store, &args.zone).await?;
    let local = context.local(store)?;
    let admin = super::admin(&context, &local);
    if args.dry_run {
        let document = admin.document(zone).await?;
        ui::print(&document.text)?;
        if !document.text.ends_with('\n') {
            ui::print("\n")?;
        }
        return Ok(Exit::Done);
    }
    let left = admin.detach(zone, args.manifest.as_deref()).await?;
    context.audit(&format!("zone '{zone}' detached by {}", admin.user));
    let stale = failover::drop_replicas(local.name(), local.store(), &admin.peers, zone).await?;
    super::stale(&stale).into_iter().for_each(ui::complain);
    if let Some(why) = left.no_copy {
        let text = format!("zone '{zone}' is detached; a copy of its manifest was not written: {why}");
        let hint = format!("'sysadm zone detach -n {zone}' prints it");
        return Err(CliError::new(Exit::Partly, Message::from(text).with_hint(hint)));
    }
    Ok(Exit::Done)
}
