//! `sysadm cert`: the certificates of a site, for rads://.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::{Millis, format_minute, plain};
use crate::transport::cert;

/// Make and show the certificates that rads:// needs
///
/// Make an authority once for a site, issue a certificate for each host, and copy to each host its own
/// HOST.pem and HOST.key as /etc/sysadm/tls/host.pem and host.key (0600), with ca.pem beside them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::CERT)]
pub struct Args {
    #[command(subcommand)]
    action: CertCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CertCommand {
    /// Make the authority of a site: ca.pem, and ca.key, which stays where it is
    InitCa {
        /// The site's name
        #[arg(long, default_value = "sysadm")]
        site: String,
        /// The folder; /etc/sysadm/tls if none is given
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Issue a certificate for a host: HOST.pem and HOST.key
    Issue {
        /// The host, as it stands in rads://HOST; roles are given to it by this name
        host: String,
        /// More names and addresses of it
        names: Vec<String>,
        /// For how many days it is valid
        #[arg(long, default_value_t = 730)]
        days: u32,
        /// The folder of the authority; /etc/sysadm/tls if none is given
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Show what a certificate says; this host's own, if no file is named
    Show {
        /// A certificate
        file: Option<PathBuf>,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let folder = |dir: Option<PathBuf>| dir.unwrap_or_else(|| context.paths.tls_dir());
    let failed = |error: cert::CertError| CliError::new(Exit::Error, error);
    match args.action {
        CertCommand::InitCa { site, dir } => {
            let pair = cert::init_ca(&folder(dir), &site, Millis::now()).map_err(failed)?;
            ui::say(&format!(
                "{}: copy it to every host; {} stays here",
                pair.cert.display(),
                pair.key.display()
            ));
        }
        CertCommand::Issue { host, names, days, dir } => {
            let pair = cert::issue(&folder(dir), &host, &names, days, Millis::now()).map_err(failed)?;
            ui::say(&format!(
                "{} and {}: to {host} as host.pem and host.key",
                pair.cert.display(),
                pair.key.display()
            ));
        }
        CertCommand::Show { file, json } => {
            let file = file.unwrap_or_else(|| context.paths.tls_dir().join("host.pem"));
            let facts = cert::show(&file).map_err(failed)?;
            if json {
                let text = serde_json::to_string_pretty(&facts)
                    .map_err(|error| CliError::new(Exit::Error, error))?;
                ui::print(&format!("{text}\n"))?;
            } else {
                let date = |time| format_minute(time, &TimeZone::system());
                let lines = [
                    ("subject", facts.subject),
                    ("names", facts.names.join(", ")),
                    ("issuer", facts.issuer),
                    ("valid", format!("{} to {}", date(facts.not_before), date(facts.not_after))),
                    ("sha256", facts.fingerprint),
                ];
                ui::print(&lines.map(|(name, value)| format!("{name:<9} {}\n", plain(&value))).concat())?;
            }
        }
    }
    Ok(Exit::Done)
}
