//! The description of a simulated host for people.

use crate::cli::CliError;
use crate::cli::columns::{Column, table};
use crate::model::{Zone, format_bytes, format_span};
use crate::platform::Platform;
use crate::platform::sim::{Counter, Fault, HostSettings, Scale, Sim};

struct SimLine {
    zone: Zone,
    counter: Counter,
}

const ZONES: &[Column<SimLine>] = &[
    Column { name: "ZONENAME", width: 16, value: |line| Some(line.zone.name.to_string()) },
    Column { name: "BRAND", width: 6, value: |line| Some(line.zone.brand.to_string()) },
    Column { name: "STATE", width: 10, value: |line| Some(state(&line.zone)) },
    Column { name: "MEMORY", width: 6, value: |line| Some(format_bytes(line.zone.memory)) },
    Column {
        name: "UPTIME",
        width: 6,
        value: |line| line.zone.is_running().then(|| format_span(line.counter.value)),
    },
];

const FAULTS: &[Column<Fault>] = &[
    Column { name: "FAULT", width: 24, value: |fault| Some(fault.effect.to_string()) },
    Column { name: "ZONENAME", width: 16, value: |fault| fault.zone.as_ref().map(ToString::to_string) },
    Column { name: "TIMES", width: 5, value: |fault| fault.times.map(|times| times.to_string()) },
];

fn state(zone: &Zone) -> String {
    match zone.aux {
        Some(aux) => format!("{} ({aux})", zone.state),
        None => zone.state.to_string(),
    }
}

/// The host, its zones with the time since each was booted (on whichever host), and its faults.
pub async fn text(sim: &Sim) -> Result<String, CliError> {
    let faults = sim.faults()?;
    let mut text = host(&sim.host()?);
    let mut lines = Vec::new();
    for zone in sim.inventory().await?.zones {
        let counter = sim.zone_counter(&zone.name)?;
        lines.push(SimLine { zone, counter });
    }
    if !lines.is_empty() {
        text.push_str(&table(ZONES, &lines));
    }
    if !faults.is_empty() {
        text.push_str(&table(FAULTS, &faults));
    }
    Ok(text)
}

fn host(host: &HostSettings) -> String {
    let storages: Vec<_> = host
        .storages
        .iter()
        .map(|storage| match &storage.folder {
            Some(folder) => format!("{} ({})", storage.name, folder.display()),
            None => storage.name.clone(),
        })
        .collect();
    let pace = match host.scale {
        Scale::Instant => "without delays".to_owned(),
        Scale::Times(1) => "in real time".to_owned(),
        Scale::Times(times) => format!("{times} times as fast as real time"),
    };
    format!(
        "{}: {} of memory, {}/s, storage {}, {pace}\n",
        host.name,
        format_bytes(host.memory),
        format_bytes(host.bandwidth),
        storages.join(", ")
    )
}
