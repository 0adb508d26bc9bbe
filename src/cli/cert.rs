//! `sysadm cert`: the certificates of a site, for rads://.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::{Millis, format_minute, plain};
use crate::transport::cert;

/// Create and show certificates for rads://
///
/// Create a certificate authority (CA) once, on one host, and issue a certificate for each host from it. Then copy
/// ca.pem, HOST.pem and HOST.key to each host: to /etc/sysadm/tls, as ca.pem, host.pem and host.key (mode 0600).
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::CERT)]
pub struct Args {
    #[command(subcommand)]
    action: CertCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CertCommand {
    /// Create the CA of a site: ca.pem, and ca.key, which must not leave this host
    InitCa {
        /// Name of the site
        #[arg(long, default_value = "sysadm")]
        site: String,
        /// Directory to write to. Default: /etc/sysadm/tls
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Issue a certificate for a host: HOST.pem and HOST.key
    Issue {
        /// Host name as used in rads://HOST and in [roles] of sysadm.toml
        host: String,
        /// Further names and addresses of the host
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Validity in days from now
        #[arg(long, default_value_t = 730)]
        days: u32,
        /// Directory of the CA, to which the certificate is written. Default: /etc/sysadm/tls
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Show a certificate: names, issuer, validity and fingerprint
    Show {
        /// Certificate. Default: this host's
        file: Option<PathBuf>,
        /// Print a JSON document
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
                "created {}, to be copied to every host, and {}, which must stay on this host",
                pair.cert.display(),
                pair.key.display()
            ));
        }
        CertCommand::Issue { host, names, days, dir } => {
            let pair = cert::issue(&folder(dir), &host, &names, days, Millis::now()).map_err(failed)?;
            ui::say(&format!("created {} and {}", pair.cert.display(), pair.key.display()));
            ui::hint(&[format!("copy them to {host} as host.pem and host.key")]);
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
