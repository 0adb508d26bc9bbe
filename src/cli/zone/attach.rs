//! `sysadm zone attach`.

use std::path::{Path, PathBuf};

use crate::admin::{AdminError, AttachOptions, TakeoverRequest, ZoneAdmin};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::failover::OperatorAssertions;
use crate::host::Host;
use crate::model::{Blocker, BlockerKind, Edit, Manifest, ZoneName};
use crate::software::Report;
use crate::store::HeldReplica;
use crate::zonepath;

/// Attach a configured zone to this host, or check whether a zone would fit
///
/// sysadm checks the zone as it checks an arriving one: networks, machine type, processor, software, capacity, name,
/// UUID, maintenance, and whether its disks and everything else that it uses of the host exist. If anything is wrong all
/// reasons are listed and the zone stays configured. Otherwise the zone is defined in libvirt and its manifest is
/// removed. The zone is not booted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_ATTACH)]
#[command(
    override_usage = "sysadm zone attach [OPTIONS] ZONE\n       sysadm zone attach -n PATH [-u] [--json]"
)]
pub struct Args {
    /// Zone; must be configured here
    #[arg(value_parser = ZoneName::typed, required_unless_present = "dry_run")]
    zone: Option<ZoneName>,
    /// Only check whether the zone of this manifest would fit; it need not be configured. PATH is a file, the directory
    /// that contains the manifest, or - for standard input
    #[arg(short = 'n', long = "check", value_name = "PATH", conflicts_with = "zone")]
    dry_run: Option<PathBuf>,
    /// Ignore software, platform and network mismatches. Name, UUID, disk, maintenance and capacity checks still apply.
    /// The zone may fail to boot
    #[arg(short = 'F', long)]
    force: bool,
    /// Update the zone so that it fits: a machine type that QEMU no longer supports is replaced by the newest of its
    /// family, so the zone sees different hardware. Changes are reported
    #[arg(short = 'u', long)]
    update: bool,
    /// Attach a zone whose host is lost, from the manifest that the lost host copied here ('sysadm zone standby'). Refused
    /// if the lost host answers, or if it or another target of the zone may be running the zone
    #[arg(long, requires = "zone", conflicts_with = "update")]
    standby: bool,
    /// With --standby: the host that the zone belongs to, if several hosts have copied a zone of this name
    #[arg(long, value_name = "HOST", requires = "standby")]
    origin: Option<String>,
    /// With --standby: confirm that the zone's host is fenced: it is powered off, or cut off from its disks, and cannot
    /// come back by itself. If that is wrong, disks are corrupted. Logged with your name
    #[arg(long, requires = "standby")]
    origin_is_down: bool,
    /// Confirm that the zone is not on HOST, a target of the zone or a host it was migrated to, which does not answer.
    /// Logged with your name
    #[arg(long, value_name = "HOST", conflicts_with = "dry_run")]
    not_on: Vec<String>,
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    if args.force && args.dry_run.is_some() {
        return Err(CliError::usage("-F and -n flags are mutually exclusive"));
    }
    let context = Context::load()?;
    let store = if args.dry_run.is_some() { context.store_to_ask()? } else { context.store()? };
    let zone = match &args.zone {
        Some(zone) => Some(context.zone(&store, zone).await?),
        None => None,
    };
    let local = context.local(store)?;
    let admin = super::admin(&context, &local);
    let terms = AttachOptions { force: args.force, update: args.update };
    match (args.dry_run, zone) {
        (_, Some(zone)) if args.standby => {
            let stated = OperatorAssertions { origin_is_down: args.origin_is_down, not_on: args.not_on };
            let origin = args.origin.as_deref();
            take_over(&context, &admin, (&zone, origin), &stated, args.force, args.json).await
        }
        (Some(path), _) => dry_run(&admin, &path, args.update, args.json).await,
        (None, Some(zone)) => attach(&context, &admin, &zone, terms, &args.not_on, args.json).await,
        (None, None) => Err(CliError::usage("a zone is needed")),
    }
}

async fn dry_run(admin: &ZoneAdmin<'_>, path: &Path, update: bool, json: bool) -> Result<Exit, CliError> {
    let mut manifest = super::read_manifest(path)?;
    if let Some(zonepath) = zonepath::of(&manifest, path)? {
        manifest = admin.found_in(manifest, &zonepath)?;
    }
    let edits = if update { admin.update(&mut manifest).await? } else { Vec::new() };
    let findings = admin.validate(&manifest).await?;
    let software = differences(admin, &manifest, &findings).await?;
    let (zone, host) = (&manifest.zone.name, admin.local.name());
    let notes = notes_of(admin, &manifest, &findings).await;
    let software = software.as_ref();
    let told = Told { zone, host, edits: &edits, findings: &findings, notes: &notes, software, update };
    told.print(["would fit on", "does not fit on", "would be changed"], json)
}

/// Added for a zone whose validation was ignored.
const SKIPPED: &str = ", validation skipped (-F)";

async fn attach(
    context: &Context,
    admin: &ZoneAdmin<'_>,
    zone: &ZoneName,
    terms: AttachOptions,
    not_on: &[String],
    json: bool,
) -> Result<Exit, CliError> {
    let (edits, findings, notes) = match admin.attach(zone, terms, not_on).await {
        Ok(attached) => {
            let how = if terms.force { SKIPPED } else { "" };
            let stated = states(None, not_on);
            context.audit(&format!("zone '{zone}' attached by {}{stated}{how}", admin.user));
            if terms.force {
                ui::complain(format!("zone '{zone}' was attached{how}"));
            }
            warn(zone, &attached.warnings);
            let notes = notes_of(admin, &attached.manifest, &[]).await;
            (attached.edits, Vec::new(), notes)
        }
        Err(AdminError::Unfit { findings, .. }) => (Vec::new(), findings, Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let software = match findings.is_empty() {
        true => None,
        false => differences(admin, &admin.document(zone).await?.manifest, &findings).await?,
    };
    let (software, update) = (software.as_ref(), terms.update);
    let (host, findings) = (admin.local.name(), findings.as_slice());
    let told = Told { zone, host, edits: &edits, findings, notes: &notes, software, update };
    told.print(["", "was not attached to", "was changed"], json)
}

/// The zone is attached all the same.
fn warn(zone: &ZoneName, warnings: &[String]) {
    for warning in warnings {
        ui::complain(format!("warning: zone '{zone}' is attached; {warning}"));
    }
}

/// What an administrator asserts, with the user's name.
fn states(down: Option<&str>, not_on: &[String]) -> String {
    let down = down.map(|origin| format!("that {origin} is down"));
    let not_on = (!not_on.is_empty()).then(|| format!("that it is not on {}", not_on.join(", ")));
    let all: Vec<_> = down.into_iter().chain(not_on).collect();
    if all.is_empty() { String::new() } else { format!(", who states {}", all.join(" and ")) }
}

async fn take_over(
    context: &Context,
    admin: &ZoneAdmin<'_>,
    (zone, origin): (&ZoneName, Option<&str>),
    stated: &OperatorAssertions,
    force: bool,
    json: bool,
) -> Result<Exit, CliError> {
    let how = if force { SKIPPED } else { "" };
    // The assertions are logged before they have any effect.
    let note = |row: &HeldReplica| {
        let (origin, user) = (&row.origin, &admin.user);
        let stated = states(stated.origin_is_down.then_some(origin), &stated.not_on);
        context.audit(&format!("zone '{zone}' of {origin} is being attached by {user}{stated}{how}"));
    };
    let request = TakeoverRequest { zone, origin, stated, force, note: &note };
    let (findings, taken) = match admin.take_over(&request).await {
        Ok(taken) => (Vec::new(), Some(taken)),
        Err(AdminError::Unfit { findings, .. }) => (findings, None),
        Err(error) => return Err(error.into()),
    };
    let (software, update) = (None, false);
    let host = admin.local.name();
    let told = Told { zone, host, edits: &[], findings: &findings, notes: &[], software, update };
    let exit = told.print(["", "was not attached to", ""], json)?;
    if let Some(taken) = taken {
        context.audit(&format!("zone '{zone}' of {} attached by {}", taken.row.origin, admin.user));
        warn(zone, &taken.warnings);
        if !json {
            ui::say(&format!(
                "zone '{zone}' of {} is attached here{how}; it is not booted",
                taken.row.origin
            ));
        }
    }
    Ok(exit)
}

/// Notes about a zone that fits.
async fn notes_of(admin: &ZoneAdmin<'_>, manifest: &Manifest, findings: &[Blocker]) -> Vec<String> {
    if findings.is_empty() { admin.local.notes(&manifest.disks).await } else { Vec::new() }
}

/// All software differences, if software is among the blockers.
async fn differences(
    admin: &ZoneAdmin<'_>,
    manifest: &Manifest,
    findings: &[Blocker],
) -> Result<Option<Report>, CliError> {
    match findings.iter().any(|finding| finding.kind == BlockerKind::Software) {
        true => Ok(admin.software(manifest).await?),
        false => Ok(None),
    }
}

/// The report about a zone.
struct Told<'a> {
    zone: &'a ZoneName,
    host: &'a str,
    edits: &'a [Edit],
    findings: &'a [Blocker],
    /// Notes that are no blockers.
    notes: &'a [String],
    software: Option<&'a Report>,
    /// Also report what an update would have to do.
    update: bool,
}

impl Told<'_> {
    /// Software in the format of zoneadm, everything else line by line.
    fn list_findings(&self) {
        let Some(software) = self.software else { return super::list_findings(self.findings) };
        let others = self.findings.iter().filter(|finding| finding.kind != BlockerKind::Software);
        super::list_findings(&others.cloned().collect::<Vec<_>>());
        ui::report(&software.to_string());
        if self.update {
            match software.update() {
                Ok(changes) => changes.iter().for_each(|change| {
                    ui::quote(&format!("an update would have to {change}; sysadm cannot do this"));
                }),
                Err(error) => ui::complain(format!("zone '{}' cannot be updated: {error}", self.zone)),
            }
        }
    }

    fn print(&self, [good, bad, changed]: [&str; 3], json: bool) -> Result<Exit, CliError> {
        let fits = self.findings.is_empty();
        if json {
            let edits: Vec<_> = self.edits.iter().map(ToString::to_string).collect();
            let document = serde_json::json!({
                "schema_version": 1, "zone": self.zone, "host": self.host, "fits": fits, "changes": edits,
                "findings": self.findings, "notes": self.notes, "software": self.software,
            });
            let text = serde_json::to_string_pretty(&document);
            ui::note(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?));
        } else {
            for edit in self.edits {
                ui::say(&format!("zone '{}' {changed}: {edit}", self.zone));
            }
            if !fits {
                ui::complain(format!("zone '{}' {bad} {}:", self.zone, self.host));
                self.list_findings();
            } else if !good.is_empty() {
                ui::say(&format!("zone '{}' {good} {}", self.zone, self.host));
            }
            for note in self.notes {
                ui::complain(format!("zone '{}': {note}", self.zone));
            }
        }
        Ok(if fits { Exit::Done } else { Exit::of(self.findings) })
    }
}
