//! The help of every command, so that every change of its words is visible.

mod host;
mod order_of_work;
mod playing;
mod policy;
mod target;
mod upkeep;
mod zone;
mod zone_attach;
mod zone_migrate;

use crate::environment::Environment;

fn help(line: &str) -> crate::output::Printed {
    let site = Environment::new();
    site.run("h1", line)
}
