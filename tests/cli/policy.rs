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
    balance      built-in use CPU, memory and network of all hosts evenly
    fastest      built-in empty the host as soon as possible
    pack         built-in move zones to as few hosts as possible
    pinned       built-in move each zone to the first of its targets that accepts it
    single-host  built-in suspend or stop zones on this host, and resume them in reverse order
    spread       built-in move each zone to the host with the most room left (the default)
    [done]
    ");
    let site = with(&[("mine.toml", FULL), ("pack.toml", "about = \"ours\"\n"), ("wrong.toml", WRONG)]);
    assert_snapshot!(site.run("h1", "policy list -p -o name,source,about"), @r"
    balance:built-in:use CPU, memory and network of all hosts evenly
    fastest:built-in:empty the host as soon as possible
    mine:/SITE/h1/etc/sysadm/policies/mine.toml:all keys
    pack:/SITE/h1/etc/sysadm/policies/pack.toml:ours
    pinned:built-in:move each zone to the first of its targets that accepts it
    single-host:built-in:suspend or stop zones on this host, and resume them in reverse order
    spread:built-in:move each zone to the host with the most room left (the default)
    wrong:/SITE/h1/etc/sysadm/policies/wrong.toml:(/SITE/h1/etc/sysadm/policies/wrong.toml cannot be used\: it has 5 errors)
    [exit status 1]
    ");
}

#[test]
fn check_tells_all_that_is_wrong_with_line_and_column() {
    let site = with(&[("mine.toml", FULL), ("wrong.toml", WRONG)]);
    let folder = site.paths("h1").policies().display().to_string();
    assert_snapshot!(site.run("h1", &format!("policy check {folder}/mine.toml {folder}/wrong.toml {folder}/none.toml")), @r#"
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml: valid
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
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:6:18: "web[1-3]" is not a pattern of zone names: "[" is written %5B in a zone name; * matches any characters, ? one
        match = { name = "web[1-3]" }
                         ^^^^^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/wrong.toml:7:10: unknown variant `sleep`, expected one of `live`, `restart`, `stop`, `suspend`, `leave`
        action = "sleep"
                 ^^^^^^^
    sysadm: failed to read /SITE/h1/etc/sysadm/policies/none.toml: No such file or directory
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
    spread (built-in): move each zone to the host with the most room left (the default)
    Each zone goes to the host that has the most memory left afterwards.
    Zones may go to their own targets ('sysadm target list').
    At most 3 zones leave a host at the same time, and at most 4 arrive.
    Running zones migrate live; zones that are not running migrate cold.
    On return, zones come back in the order that takes the least time.
    [done]
    ");
    assert_snapshot!(site.run("h1", "policy show single-host"), @r"
    single-host (built-in): suspend or stop zones on this host, and resume them in reverse order
    No zone leaves this host.
    These rules say what is done with running zones (if several match, the last one applies):
    - All zones are suspended to a file and stay here, and are resumed on return.
    - lxc zones are shut down and stay here, and are booted on return.
    Zones that stay are stopped or suspended one at a time after all others have left. On return they come first, in reverse order.
    [done]
    ");
    assert_snapshot!(site.run("h1", "policy show mine"), @r#"
    mine (/SITE/h1/etc/sysadm/policies/mine.toml): all keys
    Zones go where they balance the use of memory, CPU and network across all hosts (weights 1.5, 2 and 0).
    Zones may go to group rack (rads://h3, ssh://root@[fd00::4]:22) or rads://h2, and nowhere else.
    12.5% of each host's memory stays free.
    No host takes more than 40 zones in total.
    Running zones have at most 4 virtual CPUs for each CPU thread of their host.
    At most 4 zones leave a host at the same time, and at most 2 arrive.
    Each move uses at most 1536MiB/s.
    A live migration is never aborted for lack of progress.
    A live migration may pause the zone for at most 300 ms.
    A live migration that does not converge is aborted after 50 passes over the zone's memory.
    A move is retried up to 2 times after transient failures.
    Running zones migrate live unless one of these rules says otherwise (if several do, the last one applies):
    - kvm zones named "web*" with tag "prod" migrate live; they may go to rads://h2 or group rack (rads://h3, ssh://root@[fd00::4]:22), in order of preference; they are kept on different hosts (group web); they have priority -10 (higher goes first); they leave after "db?" and "*cache*"; they move one at a time (group web).
    - All zones go to the same host (group all).
    On return, zones come back in reverse order: the last zone to leave or stop is the first to return.
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
        "about": "suspend or stop zones on this host, and resume them in reverse order",
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
    sysadm: no such policy: spred
    hint: choose one of: balance, fastest, pack, pinned, single-host, spread
    [exit status 1]
    "#);
    assert_snapshot!(site.run("h1", "policy show ../spread"), @r#"
    ------- stderr -------
    sysadm: invalid value '../spread' for '<NAME>': "../spread" cannot be a name: 1 to 63 letters, digits, '_', '-' and '.' are allowed, the first a letter or digit
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
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml:2:12: "110%" is not a share: expected 0% to 99%, as in "10%"
        headroom = "110%"
                   ^^^^^^
    sysadm: /SITE/h1/etc/sysadm/policies/mine.toml cannot be used: it has 1 error
    [exit status 1]
    "#);
    assert_snapshot!(site.run("h1", "evacuate -a --policy nope"), @r#"
    ------- stderr -------
    sysadm: no such policy: nope
    hint: choose one of: balance, fastest, mine, pack, pinned, single-host, spread
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
