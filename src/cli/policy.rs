//! `sysadm policy`.

pub mod files;

use std::path::PathBuf;

use serde_json::json;

use self::files::{Loaded, PolicyError, Source};
use super::columns::{Column, parsable, pick, table};
use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::{Identifier, plain};
use crate::policy::{Diagnostic, Policy, explain};

/// List, check and explain policies
///
/// A policy is a TOML file that says where zones may go, how to choose between possible placements, which limits apply,
/// and what is done with each zone. Select one with 'sysadm evacuate --policy NAME', or in sysadm.toml. Six policies are built in.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::POLICY)]
pub struct Args {
    #[command(subcommand)]
    action: PolicyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// List all policies
    List {
        /// Print stable output for scripts: no header, fields separated by ':', with '\' before ':' and '\'; requires
        /// -o
        #[arg(short, long, requires = "output")]
        parsable: bool,
        /// Fields to list: NAME, SOURCE, ABOUT, or all
        #[arg(short, long, value_name = "FIELD,...")]
        output: Option<String>,
    },
    /// Check policy files, and report all errors with line and column
    Check {
        /// Policy files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Explain a policy in plain English
    Show {
        /// Name of the policy
        name: Identifier,
        /// Print the policy file
        #[arg(long, conflicts_with = "json")]
        toml: bool,
        /// Print a JSON document
        #[arg(long)]
        json: bool,
    },
}

struct PolicyLine {
    name: Identifier,
    found: Result<Loaded, PolicyError>,
}

const COLUMNS: &[Column<PolicyLine>] = &[
    Column { name: "NAME", width: 12, value: |line| Some(line.name.to_string()) },
    Column {
        name: "SOURCE",
        width: 8,
        value: |line| {
            Some(match &line.found {
                Ok(loaded) => source(&loaded.source),
                Err(PolicyError::Wrong { path, .. } | PolicyError::Read { path, .. }) => {
                    path.display().to_string()
                }
                Err(PolicyError::Unknown { .. } | PolicyError::Change { .. }) => return None,
            })
        },
    },
    Column {
        name: "ABOUT",
        width: 5,
        value: |line| match &line.found {
            Ok(loaded) => loaded.policy.about.clone(),
            Err(error) => Some(format!("({})", crate::model::chain(error))),
        },
    },
];

fn source(source: &Source) -> String {
    match source {
        Source::Shipped => "built-in".to_owned(),
        Source::File(path) => path.display().to_string(),
    }
}

pub fn run(args: Args) -> Result<Exit, CliError> {
    match args.action {
        PolicyCommand::List { parsable, output } => list(&Context::load()?, parsable, output.as_deref()),
        PolicyCommand::Check { files } => Ok(check(&files)),
        PolicyCommand::Show { name, toml, json } => show(&find(&Context::load()?, &name)?, &name, toml, json),
    }
}

/// The policy with that name, or the one named in sysadm.toml. All of its errors are reported.
pub fn load(context: &Context, name: Option<&Identifier>) -> Result<Policy, CliError> {
    find(context, name.unwrap_or(&context.config.evacuation.policy)).map(|loaded| loaded.policy)
}

fn find(context: &Context, name: &Identifier) -> Result<Loaded, CliError> {
    let found = files::load(&context.paths, name);
    if let Err(PolicyError::Wrong { path, diagnostics }) = &found {
        tell(&path.display().to_string(), diagnostics);
    }
    Ok(found?)
}

fn tell(file: &str, diagnostics: &[Diagnostic]) {
    /// Enough errors to correct some of them and check again.
    const MOST: usize = 20;
    for diagnostic in diagnostics.iter().take(MOST) {
        ui::complain(format!("{file}:{diagnostic}"));
        diagnostic.picture().iter().for_each(|line| ui::quote(line));
    }
    if diagnostics.len() > MOST {
        ui::complain(format!("{file}: and {} more", diagnostics.len() - MOST));
    }
}

fn list(context: &Context, as_parsable: bool, output: Option<&str>) -> Result<Exit, CliError> {
    let columns = pick(COLUMNS, COLUMNS.len(), output)?;
    let line = |name: Identifier| PolicyLine { found: files::load(&context.paths, &name), name };
    let lines: Vec<_> = files::names(&context.paths)?.into_iter().map(line).collect();
    ui::print(&if as_parsable { parsable(&columns, &lines) } else { table(&columns, &lines) })?;
    Ok(if lines.iter().all(|line| line.found.is_ok()) { Exit::Done } else { Exit::Error })
}

fn check(files: &[PathBuf]) -> Exit {
    let mut exit = Exit::Done;
    for path in files {
        let file = path.display().to_string();
        match files::read(path) {
            Ok(_) => ui::say(&format!("{file}: valid")),
            Err(error) => {
                exit = Exit::Error;
                match &error {
                    PolicyError::Wrong { diagnostics, .. } => tell(&file, diagnostics),
                    other => ui::complain(crate::model::chain(other)),
                }
            }
        }
    }
    exit
}

fn show(loaded: &Loaded, name: &Identifier, as_toml: bool, as_json: bool) -> Result<Exit, CliError> {
    if as_toml {
        ui::print(&loaded.text)?;
    } else if as_json {
        let file = match &loaded.source {
            Source::Shipped => None,
            Source::File(path) => Some(path),
        };
        let document = json!({"schema_version": 1, "name": name, "file": file, "policy": loaded.policy});
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| CliError::new(Exit::Error, error))?;
        ui::print(&format!("{text}\n"))?;
    } else {
        let about = loaded.policy.about.as_ref().map(|about| format!(": {about}")).unwrap_or_default();
        let heading = format!("{name} ({}){about}", source(&loaded.source));
        for line in std::iter::once(heading).chain(explain(&loaded.policy)) {
            ui::print(&format!("{}\n", plain(&line)))?;
        }
    }
    Ok(Exit::Done)
}
