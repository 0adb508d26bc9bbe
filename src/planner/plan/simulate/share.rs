//! How moves share connections: evenly, and none gets more while another that could use it gets less.

use std::collections::HashMap;

use crate::plan::schedule::What;

/// The bandwidth of each move in bytes per second: at most what it asks for, at most what its connections carry
/// together. All rise alike; a move stops when it has what it asks for, or one of its connections is full.
pub(super) fn fair(asked: &[u64], ways: &[&[What]], most: &HashMap<What, u64>) -> Vec<u64> {
    let mut shares = vec![0; asked.len()];
    let mut rising: Vec<usize> = (0..asked.len()).collect();
    let mut rest: HashMap<What, u64> = most.clone();
    let way = |job: usize| ways.get(job).copied().unwrap_or_default();
    while !rising.is_empty() {
        let mut on: HashMap<What, u64> = HashMap::new();
        rising.iter().flat_map(|&job| way(job)).for_each(|line| *on.entry(*line).or_default() += 1);
        let wants = |shares: &[u64], job: usize| {
            asked.get(job).copied().unwrap_or(0).saturating_sub(shares.get(job).copied().unwrap_or(0))
        };
        let by_line = on.iter().filter_map(|(line, jobs)| Some(rest.get(line)? / jobs));
        let by_wish = rising.iter().map(|&job| wants(&shares, job));
        let step = by_line.chain(by_wish).min().unwrap_or(0);
        for &job in &rising {
            if let Some(share) = shares.get_mut(job) {
                *share += step;
            }
        }
        for (line, jobs) in &on {
            rest.entry(*line).and_modify(|rest| *rest -= step * jobs);
        }
        rising.retain(|&job| {
            let full =
                |line: &What| rest.get(line).is_some_and(|rest| *rest < on.get(line).copied().unwrap_or(1));
            wants(&shares, job) > 0 && !way(job).iter().any(full)
        });
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::HostIx;

    const A: What = What::LineOut(HostIx(0));
    const B: What = What::LineIn(HostIx(1));
    const C: What = What::LineIn(HostIx(2));

    fn shares(asked: &[u64], ways: &[&[What]]) -> Vec<u64> {
        fair(asked, ways, &HashMap::from([(A, 100), (B, 100), (C, 30)]))
    }

    #[test]
    fn two_on_one_line_get_half_each() {
        assert_eq!(shares(&[100, 100], &[&[A, B], &[A]]), [50, 50]);
    }

    #[test]
    fn what_one_cannot_use_the_other_gets() {
        assert_eq!(shares(&[100, 100], &[&[A, B], &[A, C]]), [70, 30]);
        assert_eq!(shares(&[20, 100], &[&[A], &[A]]), [20, 80]);
    }

    #[test]
    fn nobody_gets_more_than_asked_for() {
        assert_eq!(shares(&[40, 40], &[&[A], &[A]]), [40, 40]);
        assert_eq!(shares(&[40], &[&[]]), [40]);
    }
}
