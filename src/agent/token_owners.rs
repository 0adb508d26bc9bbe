//! Which peer each token belongs to: no peer can use, end or overhear another one's migration, even if it has
//! learnt the token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Token;

/// The tokens in use, each with the peer that used it first, and how often. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct TokenOwners(Arc<Mutex<HashMap<Token, (String, usize)>>>);

impl TokenOwners {
    /// Claims a token for a peer, unless another one is using it.
    pub(super) fn claim(&self, token: &Token, peer: &str) -> Option<TokenUse> {
        let mut token_owners = self.lock();
        let (owner, uses) = token_owners.entry(token.clone()).or_insert_with(|| (peer.to_owned(), 0));
        if owner != peer {
            return None;
        }
        *uses += 1;
        Some(TokenUse { token_owners: self.clone(), token: token.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Token, (String, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One use of a token; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct TokenUse {
    token_owners: TokenOwners,
    token: Token,
}

impl Drop for TokenUse {
    fn drop(&mut self) {
        let mut token_owners = self.token_owners.lock();
        if let Some((_, uses)) = token_owners.get_mut(&self.token) {
            *uses -= 1;
            if *uses == 0 {
                token_owners.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_first_users_until_the_last_use_ends() {
        let (token_owners, token) = (TokenOwners::default(), Token::random());
        let first = token_owners.claim(&token, "h1").unwrap();
        let second = token_owners.clone().claim(&token, "h1").unwrap();
        assert!(token_owners.claim(&token, "h3").is_none());
        drop(first);
        assert!(token_owners.claim(&token, "h3").is_none());
        drop(second);
        assert!(token_owners.claim(&token, "h3").is_some());
        assert!(token_owners.lock().is_empty());
    }
}
