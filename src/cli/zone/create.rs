//! `sysadm zone create`.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::attachment::{AttachmentError, Desk, Wishes};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::exec;
use crate::host::{Host, chain};
use crate::model::{Manifest, NetworkName, ZoneName, parse_bytes};
use crate::zonepath;

/// Configure a zone from the manifest of a detached one
///
/// Nothing is installed or copied: the zone is configured, and 'sysadm zone attach' checks it and puts it on
/// this host. What is known to stand against that is said at once, and the zone is kept all the same; a
/// configuration that makes no sense, or whose name or UUID is taken, is not kept.
#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_CREATE)]
pub struct Args {
    /// Its name, which may be another than in the manifest
    zone: ZoneName,
    /// The manifest: a file, the folder that holds it, or - for standard input
    #[arg(short = 'a', value_name = "PATH")]
    manifest: PathBuf,
    /// Plug all interfaces in one network into another one
    #[arg(long = "net", value_name = "OLD=NEW", value_parser = parse_network)]
    networks: Vec<(NetworkName, NetworkName)>,
    /// Change memory=SIZE, cpus=N, autostart=true|false, machine=TYPE, or uuid=new|UUID
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<Setting>,
    /// Change its configuration with $VISUAL or $EDITOR
    #[arg(long)]
    edit: bool,
}

#[derive(Clone, Debug)]
enum Setting {
    Memory(u64),
    Cpus(u32),
    Autostart(bool),
    Machine(String),
    Uuid(Uuid),
}

fn parse_setting(text: &str) -> Result<Setting, String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let number = |what: &str| format!("{value:?} is no {what}");
    Ok(match key {
        "memory" => Setting::Memory(parse_bytes(value)?),
        "cpus" => match value.parse() {
            Ok(cpus @ 1..) => Setting::Cpus(cpus),
            _ => return Err(number("number of processors")),
        },
        "autostart" => Setting::Autostart(value.parse().map_err(|_| number("answer; write true or false"))?),
        "machine" if !value.is_empty() => Setting::Machine(value.to_owned()),
        "uuid" if value == "new" => Setting::Uuid(Uuid::new_v4()),
        "uuid" => Setting::Uuid(value.parse().map_err(|_| number("UUID"))?),
        _ => return Err("there are memory, cpus, autostart, machine and uuid".to_owned()),
    })
}

fn parse_network(text: &str) -> Result<(NetworkName, NetworkName), String> {
    let (from, to) = text.split_once('=').ok_or("write OLD=NEW")?;
    let name = |text: &str| text.parse::<NetworkName>().map_err(|error| error.to_string());
    Ok((name(from)?, name(to)?))
}

fn wishes(settings: Vec<Setting>, networks: Vec<(NetworkName, NetworkName)>) -> Wishes {
    let mut wishes = Wishes { networks, ..Wishes::default() };
    for setting in settings {
        match setting {
            Setting::Memory(bytes) => wishes.memory = Some(bytes),
            Setting::Cpus(cpus) => wishes.cpus = Some(cpus),
            Setting::Autostart(autostart) => wishes.autostart = Some(autostart),
            Setting::Machine(machine) => wishes.machine = Some(machine),
            Setting::Uuid(uuid) => wishes.uuid = Some(uuid),
        }
    }
    wishes
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let local = context.local(context.store()?)?;
    let desk = super::desk(&context, &local);
    let manifest = super::read_manifest(&args.manifest)?;
    let mut manifest = desk.changed(&args.zone, manifest, &wishes(args.settings, args.networks))?;
    if args.edit {
        manifest = edited(&context, &desk, manifest).await?;
    }
    let created = match desk.create(manifest).await {
        Ok(created) => created,
        Err(AttachmentError::Unfit { zone, findings, .. }) => {
            ui::complain(&format!("zone '{zone}' was not created:"));
            super::list_findings(&findings);
            return Ok(Exit::Error);
        }
        Err(error) => return Err(error.into()),
    };
    let zone = &created.row.zone;
    context.audit(&format!("zone '{zone}' ({}) created by {}", created.row.uuid, desk.user));
    if !created.findings.is_empty() {
        ui::complain(&format!(
            "zone '{zone}' is configured; as things are it cannot be attached to {}:",
            local.name()
        ));
        super::list_findings(&created.findings);
    }
    Ok(Exit::Done)
}

/// A file that goes with this.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The zone as its configuration is when the editor has ended.
async fn edited(context: &Context, desk: &Desk<'_>, manifest: Manifest) -> Result<Manifest, CliError> {
    let folder = context.paths.run_dir();
    std::fs::create_dir_all(&folder)?;
    let draft = Draft(folder.join(format!("edit-{}", Uuid::new_v4().simple())));
    zonepath::write(&draft.0, &manifest.config, 0o600)?;
    edit(&draft.0).await?;
    let text = std::fs::read_to_string(&draft.0)?;
    if text == manifest.config {
        return Ok(manifest);
    }
    desk.local.platform().reread(&manifest, text).map_err(|error| {
        let (zone, why) = (&manifest.zone.name, chain(&error));
        let text = format!("zone '{zone}': its configuration cannot be read any more and is not kept: {why}");
        CliError::new(Exit::Error, text)
    })
}

async fn edit(file: &Path) -> Result<(), CliError> {
    let chosen = ["VISUAL", "EDITOR"].iter().filter_map(|name| std::env::var(name).ok());
    let line = chosen.into_iter().find(|line| !line.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let ended = exec::on_terminal(program, words.map(Into::into).chain([file.as_os_str().to_owned()])).await;
    let status =
        ended.map_err(|error| CliError::new(Exit::Error, format!("failed to start {program}: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(CliError::new(Exit::Error, format!("{program} has not ended well ({status}); nothing was created")))
}
