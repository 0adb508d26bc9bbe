//! Policies as a whole: what is accepted, what is rejected and where, and that both formats say the same.

use proptest::prelude::*;

use super::*;
use crate::plan::Weights;

/// All errors, each as `LINE:COLUMN: what`.
fn diagnostics(text: &str) -> Vec<String> {
    parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_shipped_policy_says_when_to_use_it_and_means_what_its_name_says() {
    let goals = [
        ("balance", Goal::Balance(Weights::default())),
        ("fastest", Goal::Fastest),
        ("pack", Goal::Pack),
        ("pinned", Goal::Pinned),
        ("single-host", Goal::Spread),
        ("spread", Goal::Spread),
    ];
    for ((name, text), (expected, goal)) in SHIPPED.into_iter().zip(goals) {
        let policy = parse(text).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics:?}"));
        assert_eq!((name, policy.goal), (expected, goal));
        assert!(text.starts_with(&format!("# {name}: ")) && text.contains("# Use it if "), "{name}");
        assert!(policy.about.is_some() && policy.hosts().is_empty(), "{name}");
    }
}

#[test]
fn an_empty_policy_is_the_default_and_asks_for_the_default_rules() {
    assert_eq!(parse(""), Ok(Policy::default()));
    assert_eq!(Policy::default().rules(), Rules::default());
}

#[test]
fn the_rules_are_what_the_file_says() {
    let policy = parse(
        "[goal]\nplace = \"balance\"\nweights = { cpu = 2, network = 0 }\n[limits]\nheadroom = \"12.5%\"\nmax_zones = 40\n\
         outbound = 2\ninbound = 3\nbandwidth = \"1GiB/s\"\nvcpus_per_cpu = 4\n",
    );
    let expected = Rules {
        goal: Goal::Balance(Weights { memory: 1.0, cpu: 2.0, network: 0.0 }),
        headroom: 0.125,
        cpu_ratio: Some(4.0),
        max_zones: Some(40),
        outbound: 2,
        inbound: 3,
        bandwidth: Some(1 << 30),
        ..Rules::default()
    };
    assert_eq!(policy.unwrap().rules(), expected);
}

#[test]
fn every_host_that_is_named_is_to_be_asked_once() {
    let policy = parse(
        "destinations = [\"rack\", \"rads://h2\"]\n[groups]\nrack = [\"rads://h3\", \"rads://h2\"]\nother = [\"rads://h9\"]\n\
         [[zones]]\ntargets = [\"rads://h3\"]\n",
    );
    let policy = policy.unwrap();
    assert_eq!(
        policy.hosts().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["rads://h2", "rads://h3"]
    );
}

#[test]
fn each_mistake_is_named_where_it_stands() {
    let cases = [
        (
            "headrom = 1\n",
            "1:1: the file has no key \"headrom\"; it has groups, about, destinations, retries, ",
        ),
        ("[limits]\nheadroom = 10\n", "2:12: invalid type: integer `10`, expected a string"),
        (
            "[limits]\nheadroom = \"110%\"\n",
            "2:12: \"110%\" is not a share: expected 0% to 99%, as in \"10%\"",
        ),
        (
            "[limits]\nmax_zones = 0\n",
            "2:13: max_zones: a whole number from 1 to 100000 is expected, this one is outside",
        ),
        (
            "[limits]\noutbound = \"4\"\n",
            "2:12: outbound: a whole number from 1 to 64 is expected, this is a string",
        ),
        (
            "[limits]\ninbound = [4]\n",
            "2:11: inbound: a whole number from 1 to 64 is expected, this is an array",
        ),
        ("[limits]\nbandwidth = \"1Gbit/s\"\n", "2:13: \"1Gbit/s\" is not a bandwidth"),
        ("[limits]\nvcpus_per_cpu = nan\n", "2:17: vcpus_per_cpu: a number from 0.1 to 1000 is expected"),
        ("retries = 11\n", "1:11: retries: a whole number from 0 to 10 is expected, this one is outside"),
        ("return_order = \"random\"\n", "1:16: unknown variant `random`, expected `planned` or `reverse`"),
        ("[goal]\nplace = \"quick\"\n", "2:9: unknown variant `quick`, expected one of `spread`, `pack`, "),
        ("[goal]\nweights = { cpu = 1 }\n", "2:11: weights count only with place = \"balance\""),
        (
            "[goal]\nplace = \"balance\"\nweights = { cpu = 0, memory = 0, network = 0 }\n",
            "3:11: not all weights can be 0",
        ),
        (
            "[goal]\nplace = \"balance\"\nweights = { cpu = -1 }\n",
            "3:19: cpu: a number from 0 to 1000 is expected",
        ),
        ("[convergence]\ndowntime = 0\n", "2:12: downtime: a whole number from 1 to 2000000 is expected"),
        ("destinations = \"rads://h2\"\n", "1:16: destinations is a list in [ ]; string was found"),
        ("destinations = []\n", "1:16: destinations is empty"),
        (
            "destinations = [\"rack\"]\n",
            "1:17: there is no group \"rack\" in [groups], and a host is written ssh://HOST",
        ),
        ("destinations = [\"radg://h2\"]\n", "1:17: \"radg://h2\": unknown scheme \"radg\""),
        ("destinations = [\"ssh://h2\", \"ssh://h2\"]\n", "1:29: ssh://h2 is named twice"),
        ("[groups]\nrack = []\n", "2:8: rack is empty"),
        ("[groups]\n\"a b\" = [\"ssh://h2\"]\n", "2:1: \"a b\" cannot be a name"),
        ("[groups]\nrack = [\"h2\"]\n", "2:9: \"h2\" has no scheme"),
        ("groups = 3\n", "1:10: [groups] is a section with keys of its own (integer was found)"),
        ("zones = \"web\"\n", "1:9: zones is string, and not sections of the form [[zones]]"),
        ("[zones]\naction = \"stop\"\n", "1:1: zones is table, and not sections of the form [[zones]]"),
        ("[[zones]]\nmatch = { name = \"web*\" }\n", "1:1: this block says nothing about its zones"),
        (
            "[[zones]]\nmatch = { nmae = \"x\" }\naction = \"stop\"\n",
            "2:11: [match] has no key \"nmae\"; it has tag, name, brand",
        ),
        (
            "[[zones]]\nmatch = { name = \"web[1]\" }\naction = \"stop\"\n",
            "2:18: \"web[1]\" is not a pattern of zone names: \"[\" is written %5B in a zone name",
        ),
        ("[[zones]]\nmatch = { brand = \"Xen\" }\naction = \"stop\"\n", "2:19: \"Xen\" is not a brand"),
        ("[[zones]]\nmatch = { tag = \"\" }\naction = \"stop\"\n", "2:17: a tag cannot be empty"),
        (
            "[[zones]]\naction = \"migrate\"\n",
            "2:10: unknown variant `migrate`, expected one of `live`, `restart`, ",
        ),
        (
            "[[zones]]\npriority = 1.5\n",
            "2:12: priority: a whole number from -1000 to 1000 is expected, this is a float",
        ),
        (
            "[[zones]]\nmatch = { name = \"web*\" }\nafter = [\"db?\", \"x\"]\n\
             [[zones]]\nmatch = { name = \"db?\" }\nafter = [\"*\"]\n",
            "6:10: circular dependency: db? after web*, web* after db?",
        ),
        (
            "[[zones]]\nafter = [\"dns\"]\n[[zones]]\nmatch = { brand = \"lxc\" }\nafter = [\"a\"]\n\
             [[zones]]\nmatch = { name = \"dns\" }\nafter = [\"a\"]\n",
            "2:10: circular dependency: a after dns, dns after a",
        ),
        (
            "[[zones]]\nmatch = { brand = \"lxc\" }\nafter = [\"db\"]\n[[zones]]\nmatch = { name = \"db\" }\nafter = [\"*\"]\n",
            "3:10: circular dependency: lxc zones after db, db after lxc zones",
        ),
        (
            "[[zones]]\nafter = [\"a b\"]\n",
            "2:10: \"a b\" is not a pattern of zone names: \" \" is written %20 in",
        ),
        ("[[zones]]\napart = \"x\"\ntogether = \"y\"\n", "1:1: zones cannot be apart and together"),
        (
            "destinations = [\"ssh://h2\"]\n[[zones]]\ntargets = [\"ssh://h3\"]\n",
            "3:12: ssh://h3 is not among the destinations",
        ),
        ("about = \"x\n", "1:11: invalid basic string, expected `\""),
    ];
    for (text, expected) in cases {
        let found = diagnostics(text);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{text:?}\n{found:#?}\n{expected}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "retries = -1\n[[zones]]\naction = 3\ncolour = \"red\"\ntargets = [\"rack\", \"h:\"]\n[limits]\noutbound = 0\n";
    let lines: Vec<_> =
        diagnostics(text).iter().map(|text| text.split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["1:11", "3:10", "4:1", "5:12", "5:20", "7:12"]);
    assert_eq!(diagnostics("a = \nb = \n[c\n").len(), 3, "diagnostics of form, too");
}

/// The text of a valid policy with any keys.
fn right_policies() -> impl Strategy<Value = String> {
    let key = |name: &'static str, value: &'static str| {
        proptest::option::of(proptest::string::string_regex(value).unwrap())
            .prop_map(move |value| value.map_or_else(String::new, |value| format!("{name} = {value}\n")))
    };
    let hosts = "\\[\"(rack|rads://h2)\"\\]";
    let top = (
        key("about", "\"[a-z ]{0,9}\""),
        key("destinations", "\\[\"rack\", \"rads://h2\"\\]"),
        key("retries", "[0-9]"),
        key("return_order", "\"(planned|reverse)\""),
    );
    let goal = prop_oneof![
        key("place", "\"(spread|pack|pinned|fastest|balance)\""),
        key("place = \"balance\"\nweights", "\\{ cpu = [1-9], memory = 0?\\.[0-9] \\}")
            .prop_map(|text| text.replace(" .", " 0.")),
    ];
    let limits = (
        key("headroom", "\"[1-9]?[0-9](\\.[0-9])?%\""),
        key("max_zones", "[1-9][0-9]{0,3}"),
        key("outbound", "[1-9]"),
        key("inbound", "[1-9]"),
        key("bandwidth", "\"[1-9][0-9]{0,3}(\\.[0-9])?(G|GiB|MiB|T)/s\""),
        key("vcpus_per_cpu", "[1-9]\\.[0-9]{1,3}"),
    );
    let convergence = (key("stall", "[0-9]{1}"), key("downtime", "[1-9][0-9]{0,4}"), key("passes", "[0-9]"));
    let block = (
        key("match", "\\{ (name = \"[a-z*?]{1,9}\", )?(brand = \"(kvm|lxc)\", )?tag = \"[a-z =\"]{0}x\" \\}"),
        key("targets", hosts),
        key("action", "\"(live|restart|stop|suspend|leave)\""),
        key("after", "\\[(\"db\\*\", )?\"db\\*\"\\]"),
        key("one_by_one", "\"[a-z]{1,5}\""),
        prop_oneof![key("apart", "\"[a-z]{1,5}\""), key("together", "\"[a-z]{1,5}\"")],
        -1000_i32..=1000,
    );
    let blocks = proptest::collection::vec(block, 0..4);
    (top, goal, limits, convergence, blocks).prop_map(|(top, goal, limits, convergence, blocks)| {
        let blocks: String = blocks
            .into_iter()
            .map(|(a, b, c, d, e, f, priority)| format!("[[zones]]\n{a}{b}{c}{d}{e}{f}priority = {priority}\n"))
            .collect();
        let limits = [limits.0, limits.1, limits.2, limits.3, limits.4, limits.5].concat();
        format!(
            "{}{}{}{}[groups]\nrack = [\"rads://h3\", \"ssh://root@[::1]:22\"]\n[goal]\n{goal}[limits]\n{limits}[convergence]\n{}{}{}{blocks}",
            top.0, top.1, top.2, top.3, convergence.0, convergence.1, convergence.2
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_right_policy_is_taken_and_reads_back_from_its_own_form(text in right_policies()) {
        let policy = parse(&text).map_err(|diagnostics| TestCaseError::fail(format!("{diagnostics:?}\n{text}")))?;
        let written = toml::to_string(&policy).unwrap();
        prop_assert_eq!(parse(&written), Ok(policy.clone()), "{}", written);
        for line in explain(&policy) {
            prop_assert!(!line.contains('\n') && line.ends_with(['.', ':']), "{}", line);
        }
        let rules = policy.rules();
        prop_assert!((0.0..1.0).contains(&rules.headroom) && rules.outbound > 0 && rules.inbound > 0);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|([a-z]{1,9} ?= ?(\"|\\[|\\{|[0-9-]){0,3}.{0,9}\n|\\[{1,2}(zones|limits|goal|groups)\\]{0,2}\n){0,9}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_to_a_policy_makes_the_reader_panic(
        text in prop_oneof![right_policies(), proptest::sample::select(&SHIPPED[..]).prop_map(|(_, text)| text.to_owned())],
        from in 0.0_f64..1.0, length in 0_usize..30, new in "\\PC{0,5}|[\\[\\]{}=\"#\n]{0,5}"
    ) {
        let start = text.floor_char_boundary((text.len() as f64 * from) as usize);
        let end = text.floor_char_boundary((start + length).min(text.len()));
        let damaged = [&text[..start], &new, &text[end..]].concat();
        if let Err(diagnostics) = parse(&damaged) {
            prop_assert!(!diagnostics.is_empty());
            let lines = damaged.split('\n').count();
            prop_assert!(diagnostics.iter().all(|diagnostic| diagnostic.line <= lines && diagnostic.width > 0), "{:?}", diagnostics);
        }
    }
}
