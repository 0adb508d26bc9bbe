//! Readers that go away, colours, completion.

use std::process::Stdio;

use crate::environment::Environment;

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let site = Environment::empty();
    for line in
        ["zone list -cv", "evacuate -l", "evacuate -l --watch", "--help", "completion bash", "sim show"]
    {
        let mut child =
            site.command("h1", line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let printed = site.end(child);
        assert_eq!((printed.status, printed.stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn on_a_pipe_nothing_is_coloured() {
    let site = Environment::new();
    for line in ["--help", "maintain", "zone list -v"] {
        let printed = site.run("h1", line);
        assert!(!printed.stdout.contains('\u{1b}') && !printed.stderr.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn every_shell_gets_its_completion() {
    let site = Environment::new();
    for shell in ["bash", "zsh", "fish"] {
        let printed = site.run("h1", &format!("completion {shell}"));
        assert_eq!(printed.status, Some(0));
        assert!(printed.stdout.contains("evacuate") && printed.stdout.contains("maintain"), "{shell}");
    }
    insta::assert_snapshot!(site.run("h1", "completion tcl"), @r"
    ------- stderr -------
    sysadm: invalid value 'tcl' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]
    [exit status 2]
    ");
}
