//! What ssh itself makes of a file is asked of ssh: `ssh -G`.

use std::fs;
use std::process::Command;

use super::*;

const TARGET: Target<'_> = Target { host: "h2", user: Some("root"), own_user: Some("me"), home: None };

fn options(text: &str) -> Result<Options, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    fs::write(&file, text).unwrap();
    Options::read(&[file], &TARGET)
}

fn port(text: &str) -> Option<String> {
    options(text).unwrap().word("port").map(str::to_owned)
}

#[test]
fn lines_are_split_into_a_name_and_words() {
    let words = |line: &str| split(line).unwrap().map(|(name, words)| format!("{name}: {}", words.join("|")));
    for (line, expected) in [
        ("", None),
        ("  # a remark", None),
        ("Port 7", Some("port: 7")),
        ("\tPORT=7  # seven", Some("port: 7")),
        ("Port = 7", Some("port: 7")),
        ("IdentityFile \"~/my keys/id\" b", Some("identityfile: ~/my keys/id|b")),
        ("IdentityFile '~/my keys/id'", Some("identityfile: ~/my keys/id")),
        (r#"IdentityFile a\ b \"c"#, Some("identityfile: a b|\"c")),
        ("User a#b", Some("user: a#b")),
        ("User \"\"", Some("user: ")),
        ("Port", Some("port: ")),
    ] {
        assert_eq!(words(line).as_deref(), expected, "{line}");
    }
    assert_eq!(split("User \"me").unwrap_err(), "a quote has no end");
}

#[test]
fn the_first_of_several_holds_and_files_of_keys_are_gathered() {
    let text = "Port 1\nPort 2\nIdentityFile a\nHost h2\nIdentityFile b\nIdentityFile a\nPort 3\n";
    let options = options(text).unwrap();
    assert_eq!(options.word("port"), Some("1"));
    let files: Vec<_> = options.all("identityfile").iter().flat_map(|set| set.words.clone()).collect();
    assert_eq!(files, ["a", "b"]);
}

#[test]
fn blocks_count_for_whom_they_are_as_they_do_for_ssh() {
    for (text, expected) in [
        ("Host h2\nPort 7\n", "7"),
        ("Host h3\nPort 7\n", "22"),
        ("Host h? !h2\nPort 7\n", "22"),
        ("Host h? !h3\nPort 7\n", "7"),
        ("Host h3\nPort 7\nHost *\nPort 8\n", "8"),
        ("Host h3\nPort 7\nMatch all\nPort 8\n", "8"),
        ("Match host h2\nPort 7\n", "7"),
        ("Match host h2,h3 user root\nPort 7\n", "7"),
        ("Match user you\nPort 7\n", "22"),
        ("Match !user you\nPort 7\n", "7"),
        ("Match !host h2\nPort 7\n", "22"),
        ("Match host *,!h2\nPort 7\n", "22"),
        ("HostName 10.0.0.2\nMatch host 10.*\nPort 7\n", "7"),
        ("HostName 10.0.0.2\nMatch originalhost h2\nPort 7\n", "7"),
        ("HostName 10.0.0.2\nMatch host h2\nPort 7\n", "22"),
        ("Match canonical\nPort 7\n", "22"),
        ("Match final\nPort 7\n", "7"),
        ("Match final host h3\nPort 7\n", "22"),
        ("Match final\nPort 7\nHost h2\nPort 8\n", "8"),
        ("Match user you exec false\nPort 7\n", "22"),
    ] {
        let ours = port(text).unwrap_or_else(|| "22".to_owned());
        assert_eq!(ours, expected, "{text}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        fs::write(&file, text).unwrap();
        let theirs = Command::new("ssh").arg("-F").arg(&file).args(["-G", "root@h2"]).output().unwrap();
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        let theirs = theirs.lines().find_map(|line| line.strip_prefix("port "));
        assert_eq!(theirs, Some(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_judged_from_here_is_an_error_where_it_matters() {
    for name in ["exec true", "tagged x", "localnetwork 10.0.0.0/8", "new thing"] {
        let error = options(&format!("Port 1\nMatch {name}\nPort 7\n")).unwrap_err();
        let word = name.split(' ').next().unwrap();
        assert!(error.ends_with(&format!("config:2: Match {word} cannot be followed")), "{error}");
        assert!(options(&format!("Match host h3 {name}\nPort 7\n")).is_ok(), "{name}");
    }
    assert!(options("Match host\n").unwrap_err().contains("Match host has no value"));
    assert_eq!(options("Match localuser me\nPort 7\n").unwrap().word("port"), Some("7"));
}

#[test]
fn files_are_included_where_they_stand_and_count_if_that_place_does() {
    let home = tempfile::tempdir().unwrap();
    let ssh = home.path().join(".ssh");
    fs::create_dir_all(ssh.join("conf.d")).unwrap();
    let write = |name: &str, text: &str| fs::write(ssh.join(name), text).unwrap();
    write("conf.d/20.conf", "Port 2\n");
    write("conf.d/10.conf", "Host h3\nPort 3\nHost h2\nPort 1\nUser one\n");
    write("conf.d/.x.conf", "User hidden\n");
    write("loop", "Include loop\n");
    let target = Target { home: Some(home.path()), ..TARGET };
    let read = |text: &str| {
        write("config", text);
        Options::read(&[ssh.join("config")], &target)
    };
    let options = read("Include conf.d/*.conf\nUser two\n").unwrap();
    assert_eq!((options.word("port"), options.word("user")), (Some("1"), Some("one")));
    let options = read("Host h3\nInclude ~/.ssh/conf.d/10.conf\nHost h2\nPort 9\n").unwrap();
    assert_eq!((options.word("port"), options.word("user")), (Some("9"), None));
    // The block continues after it.
    let options = read("Host h2\nInclude none conf.d/20.conf\nUser two\n").unwrap();
    assert_eq!((options.word("port"), options.word("user")), (Some("2"), Some("two")));
    assert!(read("Include loop\n").unwrap_err().contains("too many files include each other"));
    assert!(read("Include ~/.ssh\n").unwrap_err().contains("failed to read"));
}
