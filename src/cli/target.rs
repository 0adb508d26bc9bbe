//! `sysadm target`.

use super::columns::{Column, parsable, pick, table};
use super::context::Context;
use super::{CliError, Exit, ui};
use crate::host::Host;
use crate::model::{HostUri, Message, ZoneName};
use crate::peers::{Connected, NoPeer};
use crate::store::{TargetKey, targets_of};

/// Set, unset and list where zones go when this host is evacuated
///
/// A target is a host URI: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]. The default ports are 22 and 12302.
/// If a zone has several targets the policy chooses one; the policy 'pinned' takes the first that accepts the zone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::TARGET)]
pub struct Args {
    #[command(subcommand)]
    action: TargetCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TargetCommand {
    /// Set the targets of zones, or the default for all zones
    ///
    /// Replaces targets that were set before. Example: sysadm target set web1 web2 ssh://root@h2 rads://h3
    #[command(override_usage = "sysadm target set ZONE... URI...\n       sysadm target set --default URI...")]
    Set {
        /// Set the default for all zones that have no targets of their own
        #[arg(long)]
        default: bool,
        /// Zones, followed by their targets in order of preference
        #[arg(required = true, value_name = "ZONE... URI")]
        words: Vec<String>,
    },
    /// Remove the targets of zones, or the default for all zones
    Unset {
        /// Remove the default for all zones
        #[arg(long)]
        default: bool,
        /// Zones; the default applies to them from now on
        #[arg(value_name = "ZONE", value_parser = ZoneName::typed, required_unless_present = "default")]
        zones: Vec<ZoneName>,
    },
    /// List the targets of every zone, and whether they are its own or the default
    List {
        /// Print stable output for scripts: no header, fields separated by ':', with '\' before ':' and '\'; requires
        /// -o
        #[arg(short, long, requires = "output")]
        parsable: bool,
        /// Fields to list: ZONENAME, SOURCE, TARGET, or all
        #[arg(short, long, value_name = "FIELD,...")]
        output: Option<String>,
    },
}

struct TargetLine {
    zone: String,
    source: &'static str,
    targets: String,
}

const COLUMNS: &[Column<TargetLine>] = &[
    Column { name: "ZONENAME", width: 16, value: |line| Some(line.zone.clone()) },
    Column { name: "SOURCE", width: 9, value: |line| Some(line.source.to_owned()) },
    Column {
        name: "TARGET",
        width: 6,
        value: |line| (!line.targets.is_empty()).then(|| line.targets.clone()),
    },
];

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    match args.action {
        TargetCommand::Set { default, words } => set(&context, default, &words).await,
        TargetCommand::Unset { default, zones } => {
            let store = context.store()?;
            let keys = keys(default, context.zones(&store, &zones).await?);
            let known = store.targets()?;
            let missing: Vec<_> = keys.iter().filter(|key| !known.contains_key(*key)).map(describe).collect();
            if !missing.is_empty() {
                let zones: Vec<_> = keys
                    .iter()
                    .filter_map(|key| match key {
                        TargetKey::Zone(zone) if !known.contains_key(key) => Some(zone.clone()),
                        _ => None,
                    })
                    .collect();
                // While the platform does not answer, it is not known which of them are misspelt.
                if let Ok(inventory) = context.local(store.clone())?.inventory().await {
                    context.must_be_known(&inventory, &zones)?;
                }
                return Err(CliError::new(
                    Exit::Error,
                    format!("no targets are set for: {}", missing.join(", ")),
                ));
            }
            store.set_targets(&keys, &[])?;
            Ok(Exit::Done)
        }
        TargetCommand::List { parsable, output } => list(&context, parsable, output.as_deref()).await,
    }
}

fn keys(default: bool, zones: Vec<ZoneName>) -> Vec<TargetKey> {
    default.then_some(TargetKey::Default).into_iter().chain(zones.into_iter().map(TargetKey::Zone)).collect()
}

fn describe(key: &TargetKey) -> String {
    match key {
        TargetKey::Default => "--default".to_owned(),
        TargetKey::Zone(zone) => zone.to_string(),
    }
}

async fn set(context: &Context, default: bool, words: &[String]) -> Result<Exit, CliError> {
    let (zones, uris) = split(default, words)?;
    let store = context.store()?;
    let zones = context.zones(&store, &zones).await?;
    let local = context.local(store.clone())?;
    let connected = context.peers(Some(&local)).connect(uris.clone()).await;
    if let Some(uri) = uris.iter().find(|uri| is_here(&connected, uri, local.name())) {
        return Err(CliError::new(Exit::Error, format!("{uri} is this host itself")));
    }
    connected.remarks().iter().for_each(ui::complain);
    match local.inventory().await {
        Ok(inventory) => context.must_be_known(&inventory, &zones)?,
        // The default, and targets of zones that are known without the hypervisor, can be set while it is down.
        Err(error) => {
            let (targets, recorded) = (store.targets()?, context.recorded()?);
            let is_known = |zone: &ZoneName| {
                recorded.contains(zone) || targets.contains_key(&TargetKey::Zone(zone.clone()))
            };
            if let Some(unknown) = zones.iter().find(|zone| !is_known(zone)) {
                let text = format!("whether there is a zone '{unknown}' is unknown: {error}");
                return Err(CliError::new(Exit::Error, text));
            }
        }
    }
    store.set_targets(&keys(default, zones), &uris)?;
    Ok(Exit::Done)
}

/// Whether that is this host: by its answer, or, if it does not answer, by its name.
fn is_here(connected: &Connected, uri: &HostUri, name: &str) -> bool {
    match connected.get(uri) {
        Some(Err(NoPeer::Itself)) => true,
        Some(Ok(_)) => false,
        Some(Err(NoPeer::Silent(_))) | None => uri.host == name,
    }
}

/// Zones come before URIs. A word with `:` or `/` is meant as a URI, so that a malformed one gets the right error.
fn split(default: bool, words: &[String]) -> Result<(Vec<ZoneName>, Vec<HostUri>), CliError> {
    let is_uri = |word: &&String| word.contains([':', '/', '@']);
    let only_uris = default && !words.iter().any(|word| is_uri(&word));
    let is_uri = |word: &&String| only_uris || is_uri(word);
    let first = words.iter().position(|word| is_uri(&word)).unwrap_or(words.len());
    let (zones, uris) = words.split_at(first);
    let uris: Vec<HostUri> = uris
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::new(Exit::Usage, error))?;
    let zones: Vec<ZoneName> = zones
        .iter()
        .map(|word| ZoneName::typed(word))
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::new(Exit::Usage, error))?;
    match (zones.is_empty(), default, uris.is_empty()) {
        (_, _, true) => {
            let hint = "write ssh://HOST or rads://HOST after the zones";
            Err(CliError::usage(Message::from("no target is named").with_hint(hint)))
        }
        (true, false, _) => {
            let hint = "name zones before the target, or say --default";
            Err(CliError::usage(Message::from("no zone is named").with_hint(hint)))
        }
        (false, true, _) => Err(CliError::usage(
            Message::from("--default is for all zones").with_hint("name no zone with it"),
        )),
        _ => Ok((zones, uris)),
    }
}

async fn list(context: &Context, as_parsable: bool, output: Option<&str>) -> Result<Exit, CliError> {
    let columns = pick(COLUMNS, COLUMNS.len(), output)?;
    let store = context.store()?;
    let all = store.targets()?;
    let local = context.local(store)?;
    let mut zones: Vec<ZoneName> = all
        .keys()
        .filter_map(|key| match key {
            TargetKey::Zone(zone) => Some(zone.clone()),
            TargetKey::Default => None,
        })
        .collect();
    let exit = match local.inventory().await {
        Ok(inventory) => {
            zones.extend(inventory.zones.into_iter().map(|zone| zone.name));
            Exit::Done
        }
        Err(error) => {
            ui::complain(format!("only zones with targets are listed: {error}"));
            Exit::Error
        }
    };
    zones.sort();
    zones.dedup();
    let show = |uris: &[HostUri]| uris.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let default = all.get(&TargetKey::Default);
    let mut lines: Vec<_> = default
        .map(|uris| TargetLine { zone: "(default)".to_owned(), source: "default", targets: show(uris) })
        .into_iter()
        .collect();
    lines.extend(zones.into_iter().map(|zone| {
        let (uris, origin) = targets_of(&all, &zone);
        TargetLine { zone: zone.to_string(), source: origin.as_str(), targets: show(uris) }
    }));
    ui::print(&if as_parsable { parsable(&columns, &lines) } else { table(&columns, &lines) })?;
    Ok(exit)
}
