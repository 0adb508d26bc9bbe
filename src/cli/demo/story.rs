//! The script of the demo.

use std::time::Duration;

use super::site::SCALE;
use super::stage::Terminal;
use crate::cli::CliError;

/// Runs the demo.
pub async fn tell(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say(&format!(
        "There are three hosts, h1, h2 and h3, each with an agent.\n\
         Their zones are simulated and run {SCALE} times as fast as real time.\n\
         Everything else is real: commands, certificates and TLS."
    ));
    prepare(on).await?;
    lock(on).await?;
    leave(on).await?;
    come_back(on).await
}

async fn prepare(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("h1 runs several zones and must be updated.");
    on.run("h1", &["zone", "list", "-icv"]).await?;
    on.say("Where may the zones go? If a zone has several targets the policy\nchooses; the default policy takes the host with the most room left.");
    on.run("h1", &["target", "set", "--default", "rads://h2"]).await?;
    on.run("h1", &["target", "set", "evac3", "rads://h2", "rads://h3"]).await?;
    on.run("h1", &["host", "list"]).await
}

async fn lock(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("From now on no zone can start on h1 or arrive there.");
    on.run("h1", &["maintain", "-s", "-m", "updating to new build"]).await?;
    on.run("h1", &["maintain", "-l"]).await?;
    on.run("h1", &["sim", "start", "evac4"]).await?;
    on.run("h2", &["host", "check", "rads://h1"]).await
}

async fn leave(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("A dry run first. evac3 is too big for h2, so it goes to h3.");
    on.run("h1", &["evacuate", "-na"]).await?;
    on.say("Now for real. Running zones migrate live.");
    let fields = "ZONENAME,STATE,DEST,STEP,PROGRESS";
    let meanwhile = ["evacuate", "-l", "-o", fields];
    on.run_meanwhile("h1", &["evacuate", "-va"], Duration::from_millis(1800), &meanwhile).await?;
    on.say("h1 is empty, and it is recorded where each zone is.");
    on.run("h1", &["evacuate", "-l", "-o", "ZONENAME,STATE,DEST,METHOD,BYTES,DOWNTIME"]).await?;
    on.run("h1", &["zone", "list", "-cv"]).await?;
    on.say("On h2 and h3 each zone is as it was. The guests have not\nnoticed anything: see their uptime.");
    on.run("h2", &["sim", "show"]).await?;
    on.run("h3", &["sim", "show"]).await
}

async fn come_back(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("h1 is updated. Maintenance survives a reboot, so no zone\nreturns before it is ended.");
    on.run("h1", &["evacuate", "-ra"]).await?;
    on.run("h1", &["maintain", "-e"]).await?;
    on.run("h1", &["evacuate", "-ra"]).await?;
    on.say("Everything is as it was.");
    on.run("h1", &["evacuate", "-l"]).await?;
    on.run("h1", &["sim", "show"]).await
}
