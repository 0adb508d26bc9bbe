//! Configurations that an administrator edits.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use insta::assert_snapshot;

use super::{document_of, site};
use crate::environment::Environment;
use crate::output::Printed;

/// Creates web1 on h2 with that editor, from the manifest that h1 has written.
fn edit(site: &Environment, editor: &str) -> Printed {
    let file = site.at("web1.xml");
    if !file.exists() {
        site.done("h1", &format!("zone detach web1 --manifest {}", file.display()));
    }
    let mut command = site.command("h2", &format!("zone create web1 --edit -a {}", file.display()));
    command.env("PATH", "/usr/bin:/bin").env("VISUAL", editor);
    site.finish(command)
}

/// The files that were kept on h2.
fn kept(site: &Environment) -> Vec<PathBuf> {
    let files = std::fs::read_dir(site.paths("h2").run_dir()).into_iter().flatten();
    files.map(|entry| entry.unwrap().path()).collect()
}

/// Removes the only file that was kept, which the error names. Returns the rest of the error.
fn refused(site: &Environment, printed: &Printed, words: &str) -> String {
    let files = kept(site);
    let [file] = files.as_slice() else { panic!("{files:?} are kept: {printed}") };
    let about = std::fs::metadata(file).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600, "passwords may be in it");
    assert!(std::fs::read_to_string(file).unwrap().contains(words), "the work is in it");
    std::fs::remove_file(file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let shown = printed.to_string();
    assert!(shown.contains(name), "{shown}");
    shown.replace(name, "FILE")
}

#[test]
fn a_configuration_is_edited_and_one_that_makes_no_sense_is_kept_for_another_try() {
    let site = site();
    let printed = edit(&site, "sed -i s/\"cpus\":.1/nonsense/");
    assert_snapshot!(refused(&site, &printed, "nonsense"), @r"
    ------- stderr -------
    sysadm: zone 'web1': the configuration is no longer valid: key must be a string at line 7 column 3; what was edited is kept in /SITE/h2/run/sysadm/FILE
    [exit status 1]
    ");
    assert_snapshot!(edit(&site, "false"), @r"
    ------- stderr -------
    sysadm: false has not ended well (exit status: 1); nothing was created
    [exit status 1]
    ");
    assert_snapshot!(edit(&site, "no-such-editor -x"), @r"
    ------- stderr -------
    sysadm: failed to start no-such-editor: No such file or directory
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
    assert_snapshot!(edit(&site, "sed -i s/\"cpus\":.1/\"cpus\":5/"), @"[done]");
    assert_eq!(document_of(&site, "h2", "web1").1.zone.cpus, 5);
    assert!(kept(&site).is_empty(), "what was taken is not kept");
}

#[test]
fn an_editor_makes_no_other_zone_of_it() {
    let site = site();
    let printed = edit(&site, "sed -i s/\"name\":.\"web1/\"name\":\"db/");
    assert_snapshot!(refused(&site, &printed, "\"db\""), @r"
    ------- stderr -------
    sysadm: zone 'web1': its name was changed to 'db' in its configuration; what was edited is kept in /SITE/h2/run/sysadm/FILE
    hint: name it on the command line: create db
    [exit status 1]
    ");
    let printed = edit(&site, "sed -i s/\"uuid\":.\"......../\"uuid\":\"00511286/");
    assert_snapshot!(refused(&site, &printed, "00511286"), @r"
    ------- stderr -------
    sysadm: zone 'web1': its UUID was changed to UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU in its configuration; what was edited is kept in /SITE/h2/run/sysadm/FILE
    hint: set it on the command line: --set uuid=UUUUUUUU-UUUU-UUUU-UUUU-UUUUUUUUUUUU
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone list -cn"), @"[done]");
}

#[test]
fn an_edited_zone_that_cannot_be_created_costs_nobody_his_work_and_one_that_was_not_edited_leaves_nothing() {
    let site = site();
    site.make_zone("h2", "web1", |_| {});
    let printed = edit(&site, "sed -i s/\"cpus\":.1/\"cpus\":5/");
    assert_snapshot!(refused(&site, &printed, "\"cpus\":5"), @r"
    ------- stderr -------
    sysadm: zone 'web1': a zone of this name is installed on this host; what was edited is kept in /SITE/h2/run/sysadm/FILE
    [exit status 1]
    ");
    assert_eq!(edit(&site, "true").status, Some(1));
    assert!(kept(&site).is_empty(), "nothing was edited");
}
