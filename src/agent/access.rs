//! What a peer may do: by its role, and with which zones.

use super::Peer;
use crate::host::{Access, Call, Host, HostError, Named, Standing};
use crate::model::{Blocker, BlockerKind, Role};

/// The error, if `peer` may not do what needs `role`.
pub(super) fn not_allowed(host: &dyn Host, peer: &Peer, call: &str, role: Role) -> Option<HostError> {
    (role > peer.role).then(|| HostError::NotAllowed {
        host: host.name().to_owned(),
        peer: peer.name.clone(),
        call: call.to_owned(),
        role: role.as_str().to_owned(),
    })
}

/// A peer with a certified name cannot speak for another one.
pub(super) fn in_its_own_name(call: &mut Call, name: &str) {
    match call {
        Call::check { request } | Call::reserve { request, .. } => request.from = name.to_owned(),
        Call::store_replica { standby } => standby.origin = name.to_owned(),
        Call::drop_replicas { origin, .. } => *origin = name.to_owned(),
        _ => {}
    }
}

/// Refuses what a peer may only do with its own zones, if the zone is not its own.
pub(super) async fn must_be_own(host: &dyn Host, peer: &Peer, call: &Call) -> Result<(), HostError> {
    let access = Access::of(call);
    if access == Access::Read || peer.role == Role::Admin {
        return Ok(());
    }
    let Standing { relation, reason } = host.standing(&peer.name, &Named::by(call)).await?;
    if access.is_allowed(relation) {
        return Ok(());
    }
    if let Call::reserve { request, .. } = call {
        // The answer to whether a zone may come is a list of blockers.
        let blockers = vec![Blocker::new(BlockerKind::Identity, reason)];
        let zone = request.manifest.zone.name.clone();
        return Err(HostError::Refused { host: host.name().to_owned(), zone, blockers });
    }
    let (host, peer, call) = (host.name().to_owned(), peer.name.clone(), call.name().to_owned());
    Err(HostError::NotItsOwn { host, peer, call, reason })
}
