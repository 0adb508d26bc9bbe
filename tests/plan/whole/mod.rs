//! Whole plans, placement and schedule together: at each begin and end of a move all rules hold, and zones that
//! are left have true reasons.

mod reasons;
mod sample;
mod walk;

use proptest::prelude::*;
use sysadm_planner::plan::{BuiltPlan, History, Refusal, build};

use super::samples::Sample;

fn plan(sample: &Sample) -> BuiltPlan {
    build(sample.fleet.clone(), sample.rules.clone(), &sample.question, &History::default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_breaks_a_rule_at_any_instant(seed: u64) {
        let sample = sample::sample(seed);
        let wrong = walk::wrong(&sample, &plan(&sample));
        prop_assert!(wrong.is_empty(), "{:#?}", wrong);
    }

    #[test]
    fn whoever_is_left_has_true_reasons(seed: u64) {
        let sample = sample::sample(seed);
        let untrue = reasons::untrue(&sample, &plan(&sample));
        prop_assert!(untrue.is_empty(), "{:#?}", untrue);
    }
}

/// A seed found by the test above: the zone fits if others are seated in other NUMA nodes.
#[test]
fn whoever_is_left_has_true_reasons_of_its_nodes() {
    let sample = sample::sample(17775677919977258100);
    let untrue = reasons::untrue(&sample, &plan(&sample));
    assert!(untrue.is_empty(), "{untrue:#?}");
}

/// The checkers work: a plan that is changed a little is detected.
#[test]
fn a_plan_that_was_tampered_with_is_seen_through() {
    let (mut hasty, mut astray, mut lying) = (0, 0, 0);
    for seed in 0..200 {
        let sample = sample::sample(seed);
        let built = plan(&sample);
        let mut at_once = built.clone();
        at_once
            .plan
            .moves
            .iter_mut()
            .for_each(|one| (one.start_ms, one.end_ms) = (0, one.end_ms - one.start_ms));
        hasty += usize::from(!walk::wrong(&sample, &at_once).is_empty());
        let mut elsewhere = built.clone();
        for one in &mut elsewhere.plan.moves {
            one.to.0 = (one.to.0 + 1) % sample.fleet.hosts.len() as u32;
        }
        astray += usize::from(!walk::wrong(&sample, &elsewhere).is_empty());
        let mut more = built.clone();
        for (_, why) in more.placement.unplaced.iter_mut().flat_map(|one| &mut one.refusals) {
            why.iter_mut().for_each(|why| match why {
                Refusal::Memory(missing) => *missing += 1,
                other => *other = Refusal::Home,
            });
        }
        lying += usize::from(!reasons::untrue(&sample, &more).is_empty());
    }
    assert!(
        hasty > 100 && astray > 150 && lying > 100,
        "{hasty}, {astray} and {lying} of 200 are seen through"
    );
}
