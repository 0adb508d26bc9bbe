//! Whose token is whose: no peer can use, end or overhear a migration of another one, even if it has come to
//! know the token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Token;

/// The tokens that are in use, each with the peer that used it first, and how often. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<HashMap<Token, (String, usize)>>>);

impl Claims {
    /// Claims a token for a peer, unless another one uses it now.
    pub(super) fn claim(&self, token: &Token, peer: &str) -> Option<Claim> {
        let mut claims = self.lock();
        let (owner, uses) = claims.entry(token.clone()).or_insert_with(|| (peer.to_owned(), 0));
        if owner != peer {
            return None;
        }
        *uses += 1;
        Some(Claim { claims: self.clone(), token: token.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Token, (String, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One use of a token; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    token: Token,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = self.claims.lock();
        if let Some((_, uses)) = claims.get_mut(&self.token) {
            *uses -= 1;
            if *uses == 0 {
                claims.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_first_users_until_the_last_use_ends() {
        let (claims, token) = (Claims::default(), Token::random());
        let first = claims.claim(&token, "h1").unwrap();
        let second = claims.clone().claim(&token, "h1").unwrap();
        assert!(claims.claim(&token, "h3").is_none());
        drop(first);
        assert!(claims.claim(&token, "h3").is_none());
        drop(second);
        assert!(claims.claim(&token, "h3").is_some());
        assert!(claims.lock().is_empty());
    }
}
