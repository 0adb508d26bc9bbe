//! `sysadm policy`, and what `evacuate` and `setup` do about policies.

use insta::assert_snapshot;

use crate::environment::Environment;

fn with(files: &[(&str, &str)]) -> Environment {
    let site = Environment::new();
    let folder = site.paths("h1").policies();
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    site
}

const FULL: &str = include_str!("../../fuzz/corpus/policy/full.toml");

const WRONG: &str = "\
destinations = [\"rack\"]
[limits]
headrom = \"10%\"
outbound = 0
[[zones]]
match = { name = \"web[1-3]\" }
action = \"sleep\"
";

#[test]
fn all_policies_are_listed_the_wrong_ones_too() {
    let site = with(&[]);
    assert_snapshot!(site.run("h1", "policy list"), @r"
    NAME         SOURCE   ABOUT
    balance      shipped  processors, memory and network of all hosts end up evenly used
    fastest      shipped  the host is empty as soon as can be
    pack         shipped  as few hosts as possible take zones
    pinned       shipped  each zone goes to the first of its targets that takes it
    single-host  shipped  no refuge: zones are suspended or stopped, and come back in reverse order
    spread       shipped  each zone goes where most is left (the default)
    [done]
    ");
    let site = with(&[("mine.toml", FULL), ("pack.toml", "about = \"ours\"\n"), ("wrong.toml", WRONG)]);
    assert_snapshot!(site.run("h1", "policy list -p -o name,source,about"), @r"
    balance:shipped:processors, memory and network of all hosts end up evenly used
    fastest:shipped:the host is empty as soon as can be
    mine:/SITE/h1/etc/sysadm/policies/mine.toml:all keys
    pack:/SITE/h1/etc/sysadm/policies/pack.toml:ours
    pinned:shipped:each zone goes to the first of its targets that takes it
    single-host:shipped:no refuge\: zones are suspended or stopped, and come back in reverse order
    spread:shipped:each zone goes where most is left (the default)
    wrong:/SITE/h1/etc/sysadm/policies/wrong.toml:(/SITE/h1/etc/sysadm/policies/wrong.toml cannot be used\: 5 things are wrong in it)
    [exit status 1]
    ");
}

#[test]
fn check_tells_all_that_is_wrong_with_line_and_column() {
    let site = with(&[("mine.toml", FULL), ("wrong.toml", WRONG)]);
    let folder = site.paths("h1").policies().display().to_string();
    assert_snapshot!(site.run("h1", &format!("policy check {folder}/mine.toml {folder}/wrong.toml {folder}/none.toml")), @r#"
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml: nothing is wrong
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:1:17: there is no group "rack" in [groups], and a host is written ssh://HOST or rads://HOST
        destinations = ["rack"]
                        ^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:3:1: [limits] has no key "headrom"; it has headroom, max_zones, outbound, inbound, bandwidth, vcpus_per_cpu
        headrom = "10%"
        ^^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:4:12: outbound: a whole number from 1 to 64 is expected, this one is outside
        outbound = 0
                   ^
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:6:18: "web[1-3]" is no pattern of zone names: "[" is written %5B in a zone name; * stands for any characters, ? for one
        match = { name = "web[1-3]" }
                         ^^^^^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:7:10: unknown variant `sleep`, expected one of `live`, `restart`, `stop`, `suspend`, `leave`
        action = "sleep"
                 ^^^^^^^
    sysadm: failed to read /SITE/h1/etc/sysadm/policies/none.toml: No such file or directory (os error 2)
    [exit status 1]
    "#);
    assert_eq!(site.run("h1", &format!("policy check {folder}/mine.toml")).status, Some(0));
    assert_eq!(site.run("h1", "policy check").status, Some(2));
}

#[test]
fn rules_that_want_each_other_first_are_shown() {
    let ring = "[[zones]]\nmatch = { name = \"web*\" }\nafter = [\"app\", \"db*\"]\n\
                [[zones]]\nmatch = { name = \"db*\" }\nafter = [\"app\"]\n\
                [[zones]]\nmatch = { name = \"app\" }\nafter = [\"web*\"]\n";
    let site = with(&[("ring.toml", ring)]);
    let folder = site.paths("h1").policies().display().to_string();
    assert_snapshot!(site.run("h1", &format!("policy check {folder}/ring.toml")), @r#"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/policies/ring.toml:9:10: circular dependency: app after web*, web* after app
        after = ["web*"]
                 ^^^^^^
    [exit status 1]
    "#);
}

#[test]
fn a_policy_is_explained_in_sentences() {
    let site = with(&[("mine.toml", FULL)]);
    assert_snapshot!(site.run("h1", "policy show spread"), @r"
    spread (shipped): each zone goes where most is left (the default)
    A zone that moves goes where most is left after its move, so that the fullest host is as empty as can be.
    They may go to the targets that each zone has ('sysadm target list').
    At most 4 zones leave one host at once, and at most 4 arrive at one.
    Every zone that runs moves live; one that does not run is moved as it is.
    On return, zones come back in whatever order is shortest.
    [done]
    ");
    assert_snapshot!(site.run("h1", "policy show single-host"), @r"
    single-host (shipped): no refuge: zones are suspended or stopped, and come back in reverse order
    No zone leaves this host.
    What is done with zones that run, of two rules by the later one:
    - All zones are suspended and stay here, their memory in a file, and go on at the return.
    - lxc zones are shut down in order and stay here, and are booted again at the return.
    Zones that stay are stopped or suspended one after the other when all others have left, and are back first, in the reverse order.
    [done]
    ");
    assert_snapshot!(site.run("h1", "policy show mine"), @r#"
    mine (/SITE/h1/etc/sysadm/policies/mine.toml): all keys
    Zones that move go where memory, processors and network of all hosts end up evenly used (weights 1.5, 2 and 0).
    They may go to group rack (rads://h3, ssh://root@[fd00::4]:22) or rads://h2, and nowhere else.
    Of each host's memory 12.5% stays free.
    No host gets more than 40 zones in all.
    Zones that run have at most 4 virtual processors for each processor of their host.
    At most 4 zones leave one host at once, and at most 2 arrive at one.
    One move takes at most 1536MiB/s of the line.
    A live migration is never given up because it makes no progress.
    A zone may be stopped for 300 ms at the end of its live migration.
    A live migration is given up after 50 passes over the zone's memory that come to no end.
    A move that failed for a reason that may pass is tried up to 2 times more.
    Every zone that runs moves live unless one of these rules says otherwise; of two, the later one holds:
    - kvm zones named "web*" with tag "prod" move live; they may go to rads://h2 or group rack (rads://h3, ssh://root@[fd00::4]:22), in this order; they are kept apart, no two on one host (group web); they have priority -10 (higher goes first); they go after "db?" and "*cache*"; they go one by one (group web).
    - All zones go to one host together (group all).
    On return, zones come back in the reverse order: the last one to leave or to stop is the first.
    [done]
    "#);
}

#[test]
fn a_policy_is_shown_as_its_file_and_as_json() {
    let site = with(&[("mine.toml", FULL)]);
    assert_eq!(site.run("h1", "policy show mine --toml").stdout, FULL);
    assert_eq!(site.run("h1", "policy show pack --toml").stdout, include_str!("../../policies/pack.toml"));
    assert_snapshot!(site.run("h1", "policy show single-host --json"), @r#"
    {
      "file": null,
      "name": "single-host",
      "policy": {
        "about": "no refuge: zones are suspended or stopped, and come back in reverse order",
        "convergence": {},
        "goal": {
          "place": "spread"
        },
        "limits": {},
        "return_order": "reverse",
        "zones": [
          {
            "action": "suspend"
          },
          {
            "action": "stop",
            "match": {
              "brand": "lxc"
            }
          }
        ]
      },
      "schema_version": 1
    }
    [done]
    "#);
    assert_eq!(site.run("h1", "policy show pack --toml --json").status, Some(2));
}

#[test]
fn names_that_are_unknown_or_none_are_told() {
    let site = with(&[]);
    assert_snapshot!(site.run("h1", "policy show spred"), @r#"
    ------- stderr -------
    sysadm: there is no policy "spred"; there are: balance, fastest, pack, pinned, single-host, spread
    [exit status 1]
    "#);
    assert_snapshot!(site.run("h1", "policy show ../spread"), @r#"
    ------- stderr -------
    error: invalid value '../spread' for '<NAME>': "../spread" cannot be a name: 1 to 63 letters, digits, '_', '-' and '.' are allowed, the first a letter or digit

    For more information, try '--help'.
    [exit status 2]
    "#);
}

#[test]
fn an_evacuation_under_a_wrong_policy_does_nothing_and_says_why() {
    let site = Environment::locked();
    std::fs::create_dir_all(site.paths("h1").policies()).unwrap();
    std::fs::write(site.paths("h1").policies().join("mine.toml"), "[limits]\nheadroom = \"110%\"\n").unwrap();
    assert_snapshot!(site.run("h1", "evacuate -a --policy mine"), @r#"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml:2:12: "110%" is no share; write 0% to 99%, as in "10%"
        headroom = "110%"
                   ^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml cannot be used: 1 thing is wrong in it
    [exit status 1]
    "#);
    assert_snapshot!(site.run("h1", "evacuate -a --policy nope"), @r#"
    ------- stderr -------
    sysadm: there is no policy "nope"; there are: balance, fastest, mine, pack, pinned, single-host, spread
    [exit status 1]
    "#);
    assert_eq!(site.location("evac1"), "h1 running");
    let config = site.paths("h1").config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[evacuation]\npolicy = \"mine\"\n")).unwrap();
    assert_eq!(site.run("h1", "evacuate -a").status, Some(1), "the policy of sysadm.toml was not read");
    assert_eq!(site.run("h1", "evacuate -qa --policy spread").status, Some(0));
    assert_eq!(site.location("evac1"), "h2 running");
}
