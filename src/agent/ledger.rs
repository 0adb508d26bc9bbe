//! How much memory an agent spends on its peers, and each peer's share of it.
//!
//! Text is counted: of requests from before they are read until they are answered, of replies from when they are
//! made until they are sent. A parsed request takes more memory than its text, but at most [`WEIGHT`] times as
//! much. A peer that exceeds its share is refused, and the others still have theirs: no peer's share is
//! everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Role;
use crate::model::format_bytes;

/// The memory that a parsed request takes at most, as a multiple of its text: a list of empty texts does.
pub const WEIGHT: usize = 16;

/// Limits for one peer, and for all peers of its kind together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerQuota {
    /// Bytes of one request.
    pub question: u32,
    /// Bytes of all its requests.
    pub questions: usize,
    /// Bytes of all its replies that are not yet sent; a single one may be longer.
    pub answers: usize,
    /// Number of open requests.
    pub open: usize,
    /// Bytes of the requests of all peers of this kind.
    pub questions_of_all: usize,
    /// Bytes of the replies to all peers of this kind.
    pub answers_of_all: usize,
}

/// A peer with role `observe` sends nothing longer than a manifest to be checked.
const OBSERVE: PeerQuota = PeerQuota {
    question: 1 << 20,
    questions: 2 << 20,
    answers: 8 << 20,
    open: 64,
    questions_of_all: 8 << 20,
    answers_of_all: 32 << 20,
};

const MIGRATE: PeerQuota = PeerQuota {
    question: 8 << 20,
    questions: 16 << 20,
    answers: 32 << 20,
    open: 512,
    questions_of_all: 32 << 20,
    answers_of_all: 128 << 20,
};

impl PeerQuota {
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Observe => OBSERVE,
            Role::Migrate | Role::Admin => MIGRATE,
        }
    }
}

/// The accounts of one agent. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Accounts>>);

#[derive(Debug, Default)]
struct Accounts {
    peers: HashMap<AccountKey, Sums>,
    all: HashMap<bool, Sums>,
}

/// The peer, and whether it has role `observe`.
type AccountKey = (String, bool);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    open: usize,
    questions: usize,
    answers: usize,
}

impl Ledger {
    /// Reserves memory for a request of that length, until the returned value is dropped.
    ///
    /// # Errors
    /// Why not, to be sent to the peer.
    pub(super) fn question(&self, peer: &str, role: Role, length: usize) -> Result<QuotaPermit, String> {
        let limits = PeerQuota::of(role);
        let mut accounts = self.lock();
        let (own, all) = accounts.of(peer, role);
        let over = |text: usize, whose: &str| {
            format!(
                "questions of {} are open {whose} already, and no more than that is read",
                format_bytes(text as u64)
            )
        };
        if own.open >= limits.open {
            return Err(format!("{} questions of this host are open already", limits.open));
        }
        if own.questions + length > limits.questions {
            return Err(over(own.questions, "from this host"));
        }
        if all.questions + length > limits.questions_of_all {
            return Err(over(all.questions, "from all hosts"));
        }
        let sums = Sums { open: 1, questions: length, answers: 0 };
        Ok(self.clone().hold(&mut accounts, peer, role, sums))
    }

    /// Reserves memory for a reply of that length, until the returned value is dropped.
    ///
    /// # Errors
    /// Why not, to be sent to the peer.
    pub(super) fn answer(&self, peer: &str, role: Role, length: usize) -> Result<QuotaPermit, String> {
        let limits = PeerQuota::of(role);
        let mut accounts = self.lock();
        let (own, all) = accounts.of(peer, role);
        let is_over = |held: usize, limit: usize| held > 0 && held + length > limit;
        if is_over(own.answers, limits.answers) {
            let held = format_bytes(own.answers as u64);
            return Err(format!("answers of {held} wait until this host reads them"));
        }
        if is_over(all.answers, limits.answers_of_all) {
            let held = format_bytes(all.answers as u64);
            return Err(format!("answers of {held} wait until other hosts read them"));
        }
        Ok(self.clone().hold(&mut accounts, peer, role, Sums { open: 0, questions: 0, answers: length }))
    }

    fn hold(self, accounts: &mut Accounts, peer: &str, role: Role, sums: Sums) -> QuotaPermit {
        let account = account(peer, role);
        accounts.all.entry(account.1).or_default().add(sums);
        accounts.peers.entry(account.clone()).or_default().add(sums);
        QuotaPermit { ledger: self, account, sums }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    fn of(&self, peer: &str, role: Role) -> (Sums, Sums) {
        let account = account(peer, role);
        let own = self.peers.get(&account).copied().unwrap_or_default();
        (own, self.all.get(&account.1).copied().unwrap_or_default())
    }
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.open += other.open;
        self.questions += other.questions;
        self.answers += other.answers;
    }

    fn take(&mut self, other: Self) {
        self.open -= other.open;
        self.questions -= other.questions;
        self.answers -= other.answers;
    }
}

fn account(peer: &str, role: Role) -> AccountKey {
    (peer.to_owned(), role == Role::Observe)
}

/// Memory reserved for a peer; given back when dropped.
#[derive(Debug)]
pub(super) struct QuotaPermit {
    ledger: Ledger,
    account: AccountKey,
    sums: Sums,
}

impl Drop for QuotaPermit {
    fn drop(&mut self) {
        let mut accounts = self.ledger.lock();
        if let Some(all) = accounts.all.get_mut(&self.account.1) {
            all.take(self.sums);
        }
        if let Some(own) = accounts.peers.get_mut(&self.account) {
            own.take(self.sums);
            if *own == Sums::default() {
                accounts.peers.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 3] = [Role::Observe, Role::Migrate, Role::Admin];

    #[test]
    fn no_peer_has_more_than_its_share_nor_all_of_a_kind_more_than_theirs() {
        for role in ROLES {
            let (ledger, limits) = (Ledger::default(), PeerQuota::of(role));
            let length = limits.question as usize;
            let (mut held, mut refused) = (Vec::new(), 0);
            for number in 0..1000 {
                match ledger.question(&format!("h{}", number % 100), role, length) {
                    Ok(one) => held.push(one),
                    Err(_) => refused += 1,
                }
            }
            assert_eq!(held.len() * length, limits.questions_of_all, "{role:?}");
            assert_eq!(held.len() + refused, 1000);
            // Peers of another kind are not affected.
            let other = if role == Role::Observe { Role::Migrate } else { Role::Observe };
            drop(ledger.question("h1", other, length.min(PeerQuota::of(other).question as usize)).unwrap());
            drop(held);
            assert!(ledger.lock().peers.is_empty());
            assert_eq!(ledger.lock().all[&(role == Role::Observe)], Sums::default());
        }
    }

    #[test]
    fn the_document_on_security_states_these_shares() {
        let document = include_str!("../../docs/security.md");
        let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
        let (o, m) = (OBSERVE, MIGRATE);
        let questions =
            [o.questions, o.questions_of_all, m.questions, m.questions_of_all].map(mib).join(" | ");
        let answers = [o.answers, o.answers_of_all, m.answers, m.answers_of_all].map(mib).join(" | ");
        for row in [
            format!("| one question | {} | - | {} | - |", mib(o.question as usize), mib(m.question as usize)),
            format!("| text of unanswered questions | {questions} |"),
            format!("| number of unanswered questions | {} | - | {} | - |", o.open, m.open),
            format!("| text of unsent answers; a single one may be longer | {answers} |"),
            format!("no more than {WEIGHT} times its text"),
        ] {
            assert!(document.contains(&row), "{row}");
        }
    }

    #[test]
    fn one_peer_is_told_what_it_has_too_much_of() {
        let (ledger, limits) = (Ledger::default(), PeerQuota::of(Role::Observe));
        let small: Vec<_> =
            (0..limits.open).map(|_| ledger.question("h1", Role::Observe, 10).unwrap()).collect();
        let said = ledger.question("h1", Role::Observe, 10).unwrap_err();
        assert_eq!(said, "64 questions of this host are open already");
        assert!(ledger.question("h2", Role::Observe, 10).is_ok());
        drop(small);
        let length = limits.question as usize;
        let large: Vec<_> = (0..2).map(|_| ledger.question("h1", Role::Observe, length).unwrap()).collect();
        let said = ledger.question("h1", Role::Observe, length).unwrap_err();
        assert_eq!(said, "questions of 2M are open from this host already, and no more than that is read");
        drop(large);
        // A single reply may have any length; the next one waits for it.
        let answer = ledger.answer("h1", Role::Observe, 15 << 20).unwrap();
        let said = ledger.answer("h1", Role::Observe, 1).unwrap_err();
        assert_eq!(said, "answers of 15M wait until this host reads them");
        drop(answer);
        assert!(ledger.answer("h1", Role::Observe, 1).is_ok());
    }
}
