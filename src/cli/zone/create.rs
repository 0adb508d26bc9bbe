//! `sysadm zone create`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::admin::{AdminError, NewZone, Overrides, ZoneAdmin};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::exec;
use crate::file;
use crate::folder;
use crate::host::Host;
use crate::model::{Hinted, NetMap, NetworkName, NetworkNameError, SizeError, ZoneName, chain, parse_bytes};
use crate::zonepath;

/// Configure a zone from the manifest of a detached one
///
/// Nothing is installed or copied. The zone becomes 'configured'; 'sysadm zone attach' then checks and attaches it.
/// Known reasons that would prevent this are reported right away, but do not prevent the zone from being configured. A
/// configuration that is invalid, or whose name or UUID is taken, is refused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_CREATE)]
pub struct Args {
    /// Name of the zone; may differ from the name in the manifest
    #[arg(value_parser = ZoneName::typed)]
    zone: ZoneName,
    /// Manifest: a file, - for standard input, or the directory that contains it, which becomes the zonepath
    #[arg(short = 'a', long, value_name = "PATH")]
    manifest: PathBuf,
    /// Reconnect every interface of network OLD to network NEW. May be repeated; all changes are made at once, so two
    /// networks can be swapped
    #[arg(long = "net", value_name = "OLD=NEW", value_parser = parse_network)]
    networks: Vec<(NetworkName, NetworkName)>,
    /// Change memory=SIZE, cpus=N, autostart=true|false, machine=TYPE or uuid=new|UUID; a new UUID makes a copy. May be
    /// repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    settings: Vec<Setting>,
    /// Edit the configuration with $VISUAL, $EDITOR or vi. Name and UUID cannot be changed there
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

/// Why the value of `--set` or `--net` is none.
#[derive(Debug, thiserror::Error)]
pub enum WishError {
    #[error("it has no '='")]
    Undivided {
        /// What stands on both sides of it.
        form: &'static str,
    },
    #[error(transparent)]
    Size(#[from] SizeError),
    #[error(transparent)]
    Network(#[from] NetworkNameError),
    #[error("{text:?} is no {what}")]
    Value { text: String, what: &'static str },
    #[error("there are memory, cpus, autostart, machine and uuid")]
    Key,
}

impl Hinted for WishError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Undivided { form } => vec![format!("write {form}")],
            Self::Size(cause) => cause.hints(),
            Self::Value { what: "answer", .. } => vec!["write true or false".to_owned()],
            Self::Network(_) | Self::Value { .. } | Self::Key => Vec::new(),
        }
    }
}

fn parse_setting(text: &str) -> Result<Setting, WishError> {
    let (key, value) = text.split_once('=').ok_or(WishError::Undivided { form: "KEY=VALUE" })?;
    let number = |what| WishError::Value { text: value.to_owned(), what };
    Ok(match key {
        "memory" => Setting::Memory(parse_bytes(value)?),
        "cpus" => match value.parse() {
            Ok(cpus @ 1..) => Setting::Cpus(cpus),
            _ => return Err(number("number of processors")),
        },
        "autostart" => Setting::Autostart(value.parse().map_err(|_| number("answer"))?),
        "machine" if !value.is_empty() => Setting::Machine(value.to_owned()),
        "uuid" if value == "new" => Setting::Uuid(Uuid::new_v4()),
        "uuid" => Setting::Uuid(value.parse().map_err(|_| number("UUID"))?),
        _ => return Err(WishError::Key),
    })
}

fn parse_network(text: &str) -> Result<(NetworkName, NetworkName), WishError> {
    let (from, to) = text.split_once('=').ok_or(WishError::Undivided { form: "OLD=NEW" })?;
    Ok((from.parse()?, to.parse()?))
}

fn wishes(settings: Vec<Setting>, networks: Vec<(NetworkName, NetworkName)>) -> Result<Overrides, CliError> {
    let twice =
        |name| CliError::usage(format!("--net {name}= is given twice; a network goes into one other"));
    let mut wishes = Overrides { networks: NetMap::of(networks).map_err(twice)?, ..Overrides::default() };
    for setting in settings {
        match setting {
            Setting::Memory(bytes) => wishes.memory = Some(bytes),
            Setting::Cpus(cpus) => wishes.cpus = Some(cpus),
            Setting::Autostart(autostart) => wishes.autostart = Some(autostart),
            Setting::Machine(machine) => wishes.machine = Some(machine),
            Setting::Uuid(uuid) => wishes.uuid = Some(uuid),
        }
    }
    Ok(wishes)
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let wishes = wishes(args.settings, args.networks)?;
    let context = Context::load()?;
    let local = context.local(context.store()?)?;
    let admin = super::admin(&context, &local);
    let manifest = super::read_manifest(&args.manifest)?;
    let wishes = Overrides { zonepath: zonepath::of(&manifest, &args.manifest)?, ..wishes };
    let draft = admin.draft(&args.zone, manifest, &wishes)?;
    match args.edit {
        true => edited(&context, &admin, draft).await,
        false => create(&context, &admin, draft).await,
    }
}

async fn create(context: &Context, admin: &ZoneAdmin<'_>, draft: NewZone) -> Result<Exit, CliError> {
    let created = match admin.create(draft).await {
        Ok(created) => created,
        Err(AdminError::Unfit { zone, findings, .. }) => {
            ui::complain(format!("zone '{zone}' was not created:"));
            super::list_findings(&findings);
            return Ok(Exit::Error);
        }
        Err(error) => return Err(error.into()),
    };
    let zone = &created.record.zone;
    context.audit(&format!("zone '{zone}' ({}) created by {}", created.record.uuid, admin.user));
    if !created.findings.is_empty() {
        ui::complain(format!(
            "zone '{zone}' is configured, but currently cannot be attached to {}:",
            admin.local.name()
        ));
        super::list_findings(&created.findings);
    }
    Ok(Exit::Done)
}

/// The file for the editor. It is removed when this is dropped, unless it is kept.
struct Text {
    file: PathBuf,
    is_kept: bool,
}

impl Text {
    fn write(context: &Context, config: &str) -> Result<Self, CliError> {
        let run = context.paths.run_dir();
        folder::run(&run)?;
        let path = run.join(format!("edit-{}", Uuid::new_v4().simple()));
        file::create(&path, config, 0o600)?;
        Ok(Self { file: path, is_kept: false })
    }

    /// Keeps the file, and says where. It may contain passwords, so its mode is restored whatever the editor did.
    fn keep(&mut self) -> String {
        self.is_kept = true;
        let _ = std::fs::set_permissions(&self.file, std::fs::Permissions::from_mode(0o600));
        format!("what was edited is kept in {}", self.file.display())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}

/// Creates the zone with its configuration as it is when the editor has ended.
async fn edited(context: &Context, admin: &ZoneAdmin<'_>, draft: NewZone) -> Result<Exit, CliError> {
    let before = draft.manifest.config.clone();
    let mut text = Text::write(context, &before)?;
    edit(&text.file).await?;
    let config = std::fs::read(&text.file)?;
    if config == before.as_bytes() {
        return create(context, admin, draft).await;
    }
    let created = async {
        let zone = &draft.manifest.zone.name;
        let odd = |_| CliError::new(Exit::Error, format!("zone '{zone}': its configuration is not UTF-8"));
        let draft = admin.edited(&draft, String::from_utf8(config).map_err(odd)?)?;
        create(context, admin, draft).await
    };
    match created.await {
        Ok(Exit::Done) => Ok(Exit::Done),
        Ok(exit) => {
            ui::quote(&text.keep());
            Ok(exit)
        }
        Err(error) => Err(CliError::new(error.exit, error.message().clone().and(text.keep()))),
    }
}

async fn edit(file: &Path) -> Result<(), CliError> {
    let chosen = ["VISUAL", "EDITOR"].iter().filter_map(|name| std::env::var(name).ok());
    let line = chosen.into_iter().find(|line| !line.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let ended = exec::on_terminal(program, words.map(Into::into).chain([file.as_os_str().to_owned()])).await;
    let status = ended.map_err(|error| {
        CliError::new(Exit::Error, format!("failed to start {program}: {}", chain(&error)))
    })?;
    if status.success() {
        return Ok(());
    }
    Err(CliError::new(Exit::Error, format!("{program} has not ended well ({status}); nothing was created")))
}
