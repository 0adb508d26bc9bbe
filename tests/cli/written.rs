//! Output to standard output and to named files: it is complete, or there is an error; and nothing else is touched.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::environment::Environment;
use crate::output::Printed;

const FULL: &str = "sysadm: failed to write to standard output: No space left on device\n";

/// Every command that prints something, on a host in maintenance with a plan at hand.
const PRINTING: &[&str] = &[
    "--help",
    "--version",
    "help evacuate",
    "evacuate -h",
    "completion zsh",
    "zone list -cv",
    "zone list -cp",
    "zone detach -n evac4",
    "zone migrate -n --json evac1 rads://h2",
    "zone standby --list",
    "zone standby --list --json",
    "evacuate -l",
    "evacuate -l --json",
    "evacuate -na",
    "evacuate -na --json",
    "host list",
    "host check rads://h2",
    "host check rads://h2 --json",
    "host inventory",
    "host inventory --json",
    "plan --drain rads://h1 --to rads://h2",
    "plan --drain rads://h1 --to rads://h2 --json",
    "plan show PLAN",
    "plan show PLAN --json",
    "plan show PLAN --diff PLAN",
    "plan show PLAN --diff PLAN --json",
    "plan simulate PLAN",
    "plan simulate PLAN --json",
    "policy list",
    "policy list -po all",
    "policy show spread",
    "policy show spread --toml",
    "policy show spread --json",
    "target list",
    "target list -po all",
    "maintain -l",
    "maintain -lpo all",
    "store check",
    "store check --json",
    "cert show",
    "cert show --json",
    "setup",
    "sim show",
];

/// A host in maintenance, and a plan in a file.
fn planned() -> (Environment, String) {
    let site = Environment::locked();
    let plan = site.at("plan.json").display().to_string();
    site.done("h1", &format!("plan --drain rads://h1 --to rads://h2 --output {plan}"));
    (site, plan)
}

fn into(site: &Environment, line: &str, output: impl Into<Stdio>) -> Printed {
    let mut command = site.command("h1", line);
    site.end(command.stdout(output).stderr(Stdio::piped()).spawn().unwrap())
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn what_cannot_be_written_to_standard_output_is_an_error_whatever_is_printed() {
    let (site, plan) = planned();
    for line in PRINTING {
        let line = line.replace("PLAN", &plan);
        let printed = into(&site, &line, full());
        assert_eq!(printed.status, Some(1), "{line}: {printed}");
        assert!(printed.stderr.ends_with(FULL), "{line}: {printed}");
        assert_eq!(printed.stderr.matches("standard output").count(), 1, "{line}: {printed}");
    }
    let away = Environment::empty();
    for line in ["evacuate -l", "evacuate -lpo all", "evacuate -l --json", "evacuate -l --watch"] {
        let printed = into(&away, line, full());
        assert_eq!((printed.status, printed.stderr.as_str()), (Some(1), FULL), "{line}");
    }
    // A file opened only for reading.
    let printed = into(&site, "zone list", File::open(&plan).unwrap());
    assert_eq!(printed.status, Some(1), "{printed}");
    assert!(printed.stderr.contains("standard output: Bad file descriptor"), "{printed}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_error_whatever_is_printed() {
    let (site, plan) = planned();
    for line in PRINTING {
        let line = line.replace("PLAN", &plan);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (printed, read) = (into(&site, &line, writer), site.run("h1", &line));
        assert_eq!((printed.status, printed.stderr), (read.status, read.stderr), "{line}");
    }
}

#[test]
fn a_run_goes_on_without_its_output_and_does_not_end_with_0() {
    let site = Environment::locked();
    let printed = into(&site, "evacuate -va", full());
    assert_eq!((printed.status, printed.stderr.as_str()), (Some(1), FULL));
    assert!(site.run("h1", "evacuate -l").stdout.contains("empty, safe to reboot"));
    site.done("h1", "maintain -e");
    let printed = into(&site, "evacuate -ra --json", full());
    assert_eq!((printed.status, printed.stderr.as_str()), (Some(1), FULL));
    assert_eq!(site.location("evac1"), "h1 running");
}

#[test]
fn a_plan_is_written_to_what_is_no_file_and_replaces_nothing_but_a_plan() {
    let site = Environment::locked();
    std::fs::create_dir(site.at("d")).unwrap();
    let at = |name: &str| site.at("d").join(name);
    let letter = "dear grandmother\n";
    for name in ["night.part", "night.json.part", "night.new", "letter"] {
        std::fs::write(at(name), letter).unwrap();
    }
    symlink("/proc/self/fd/1", at("stdout")).unwrap();
    symlink(at("letter"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    for make in ["evacuate -naq --plan", "plan --drain rads://h1 --to rads://h2 --output"] {
        let run = |name: &str| site.run("h1", &format!("{make} {}", at(name).display()));
        for _ in 0..2 {
            assert_eq!(run("night.json").status, Some(0));
        }
        assert!(std::fs::read_to_string(at("night.json")).unwrap().contains("\"hash\""));
        let printed = run("stdout");
        assert!(printed.status == Some(0) && printed.stdout.starts_with("{\n"), "{printed}");
        for (name, why) in [
            ("letter", "there is another file, which is not replaced"),
            ("link", "it is a symbolic link, which is not followed"),
            ("dangling", "it is a symbolic link, which is not followed"),
            ("", "is a directory"),
        ] {
            let printed = run(name);
            assert_eq!(printed.status, Some(1), "{name}: {printed}");
            assert!(printed.stderr.contains(why) && printed.stderr.contains("/SITE/d"), "{name}: {printed}");
        }
        let full = site.run("h1", &format!("{make} /dev/full"));
        assert_eq!(full.status, Some(1));
        assert!(full.stderr.contains("failed to write /dev/full: No space left on device"), "{full}");
    }
    for name in ["night.part", "night.json.part", "night.new", "letter"] {
        assert_eq!(std::fs::read_to_string(at(name)).unwrap(), letter);
    }
    assert!(["stdout", "link", "dangling"].iter().all(|name| at(name).is_symlink()));
    assert_eq!(std::fs::read_dir(site.at("d")).unwrap().count(), 8, "nothing is left behind");
}

#[test]
fn a_plan_for_standard_output_stands_among_what_is_said_also_in_a_file() {
    let site = Environment::locked();
    let output = File::create(site.at("output")).unwrap();
    let printed = into(&site, "evacuate -na --plan /dev/stdout", output);
    assert_eq!(printed.status, Some(0), "{printed}");
    let text = std::fs::read_to_string(site.at("output")).unwrap();
    let (before, rest) = text.split_once("\n{\n").unwrap();
    let (_, after) = rest.split_once("\n}\n").unwrap();
    assert!(before.starts_with("sysadm: preparing") && after.starts_with("ZONENAME"), "{text}");
}

#[test]
fn a_link_at_a_name_that_could_be_guessed_leads_nowhere() {
    let site = Environment::locked();
    std::fs::write(site.at("victim"), "as it was").unwrap();
    let state = site.paths("h1").state_dir();
    let lures = ["night.part", "night.json.part", "night.json.tmp", ".night.json.tmp"];
    lures.iter().for_each(|name| symlink(site.at("victim"), site.at(name)).unwrap());
    symlink(site.at("victim"), state.join("maintenance.new")).unwrap();
    site.done("h1", &format!("evacuate -naq --plan {}", site.at("night.json").display()));
    site.done("h1", "maintain -s --type other");
    assert_eq!(std::fs::read_to_string(site.at("victim")).unwrap(), "as it was");
    assert!(!site.at("night.json").is_symlink() && !site.paths("h1").lock_marker().is_symlink());
    // A symbolic link is not accepted as the run lock, and its target is not emptied.
    let lock = site.paths("h1").run_lock();
    let _ = std::fs::remove_file(&lock);
    symlink(site.at("victim"), &lock).unwrap();
    assert_eq!(site.run("h1", "evacuate -a").status, Some(1));
    assert_eq!(std::fs::read_to_string(site.at("victim")).unwrap(), "as it was");
}
