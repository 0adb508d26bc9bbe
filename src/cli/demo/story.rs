//! What is told.

use std::time::Duration;

use super::site::SCALE;
use super::stage::Terminal;
use crate::cli::CliError;

/// Tells it.
pub async fn tell(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say(&format!(
        "Three hosts: h1, h2 and h3, each with an agent.\n\
         Their zones are simulated, {SCALE} times as fast as reality.\n\
         The rest is real: every command, certificates, TLS."
    ));
    prepare(on).await?;
    lock(on).await?;
    leave(on).await?;
    come_back(on).await
}

async fn prepare(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("h1 is full of zones, and needs a new build.");
    on.run("h1", &["zone", "list", "-icv"]).await?;
    on.say("Where may they go? Of several targets the policy chooses:\nthe one on which most is left.");
    on.run("h1", &["target", "set", "--default", "rads://h2"]).await?;
    on.run("h1", &["target", "set", "evac3", "rads://h2", "rads://h3"]).await?;
    on.run("h1", &["host", "list"]).await
}

async fn lock(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("From here on nothing starts on h1, and nothing arrives.");
    on.run("h1", &["maintain", "-s", "-m", "updating to new build"]).await?;
    on.run("h1", &["maintain", "-l"]).await?;
    on.run("h1", &["sim", "start", "evac4"]).await?;
    on.run("h2", &["host", "check", "rads://h1"]).await
}

async fn leave(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("First only look. evac3 is too big for h2, and goes to h3.");
    on.run("h1", &["evacuate", "-na"]).await?;
    on.say("Now for real: what runs moves live.");
    let fields = "ZONENAME,STATE,DEST,STEP,PROGRESS";
    let meanwhile = ["evacuate", "-l", "-o", fields];
    on.run_meanwhile("h1", &["evacuate", "-va"], Duration::from_millis(1800), &meanwhile).await?;
    on.say("Nothing is left on h1, and everything is known of it.");
    on.run("h1", &["evacuate", "-l", "-o", "ZONENAME,STATE,DEST,KIND,BYTES,DOWNTIME"]).await?;
    on.run("h1", &["zone", "list", "-cv"]).await?;
    on.say(
        "On h2 and h3 each zone is as it was. The guests have\nnot noticed: see how long they have been up.",
    );
    on.run("h2", &["sim", "show"]).await?;
    on.run("h3", &["sim", "show"]).await
}

async fn come_back(on: &Terminal<'_>) -> Result<(), CliError> {
    on.say("h1 has its new build. It is still locked, also after\na reboot, so nothing returns by mistake.");
    on.run("h1", &["evacuate", "-ra"]).await?;
    on.run("h1", &["maintain", "-e"]).await?;
    on.run("h1", &["evacuate", "-ra"]).await?;
    on.say("All is as it was.");
    on.run("h1", &["evacuate", "-l"]).await?;
    on.run("h1", &["sim", "show"]).await
}
