//! The folders of a host, whichever command creates them and with whatever umask.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::environment::Environment;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn qemus_user_passes_through_the_run_folder_whoever_makes_it() {
    let site = Environment::locked();
    let [h1, h2] = ["h1", "h2"].map(|host| site.at(host).join("run/sysadm"));
    // As after a reboot; the first command is run by a user with a strict umask.
    for run in [&h1, &h2] {
        let _ = std::fs::remove_dir_all(run);
    }
    let mut careful = Command::new("sh");
    careful.args([
        "-c",
        "umask 077; exec \"$0\" evacuate --action restart evac1",
        env!("CARGO_BIN_EXE_sysadm"),
    ]);
    let done = careful.env_clear().env("SYSADM_ROOT", site.at("h1")).status().unwrap();
    assert!(done.success());
    assert_eq!((mode(&h1), mode(&h1.join("boot-blocks"))), (0o711, 0o700));
    // The mode of an existing folder is corrected.
    for (run, now) in [(&h1, 0o700), (&h2, 0o777)] {
        std::fs::create_dir_all(run).unwrap();
        set_mode(run, now);
    }
    set_mode(&site.at("h1").join("var/lib/sysadm"), 0o755);
    site.done("h1", "evacuate evac2");
    assert_eq!((mode(&h1), mode(&h2)), (0o711, 0o711));
    assert_eq!(mode(&site.at("h1").join("var/lib/sysadm")), 0o700);
}
