//! Placements keep to all rules.

use sysadm::plan::place;

use crate::checker::violations;
use crate::samples::{small, wild};

#[test]
fn no_placement_breaks_a_rule() {
    for seed in 0..1500 {
        for sample in [wild(seed), small(seed, 12, 4)] {
            let placement = place(&sample.fleet, &sample.rules, &sample.question);
            let wrong = violations(&sample.fleet, &sample.rules, &sample.question, &placement);
            assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
        }
    }
}
