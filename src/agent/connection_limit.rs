//! A limited number of places, of which no single peer can take all.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places, and how many of them each peer has.
#[derive(Debug)]
pub(super) struct ConnectionLimit<K: Eq + Hash> {
    places: usize,
    each: usize,
    taken: Mutex<HashMap<K, usize>>,
}

impl<K: Clone + Eq + Hash> ConnectionLimit<K> {
    /// That many places, of which no peer gets more than `each`.
    pub fn new(places: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { places, each, taken: Mutex::default() })
    }

    /// A place, unless all are taken, or this peer has its maximum.
    pub fn take(self: &Arc<Self>, who: K) -> Option<ConnectionPermit<K>> {
        let mut taken = self.lock();
        let own = taken.get(&who).copied().unwrap_or(0);
        if own >= self.each || taken.values().sum::<usize>() >= self.places {
            return None;
        }
        taken.insert(who.clone(), own + 1);
        Some(ConnectionPermit { shares: Arc::clone(self), who })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place; given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit<K: Clone + Eq + Hash> {
    shares: Arc<ConnectionLimit<K>>,
    who: K,
}

impl<K: Clone + Eq + Hash> Drop for ConnectionPermit<K> {
    fn drop(&mut self) {
        let mut taken = self.shares.lock();
        if let Some(own) = taken.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

/// The part of an address that identifies a peer: an IPv6 user has a whole network of 64 bits.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_all_places_and_each_comes_back() {
        let shares = ConnectionLimit::new(3, 2);
        let held: Vec<_> = [shares.take("a"), shares.take("a")].into_iter().map(Option::unwrap).collect();
        assert!(shares.take("a").is_none());
        let other = shares.take("b").unwrap();
        assert!(shares.take("c").is_none());
        drop((held, other));
        assert!(shares.lock().is_empty());
        assert!(shares.take("a").is_some());
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1") && same("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1") && !same("10.0.0.1", "10.0.0.2"));
    }
}
