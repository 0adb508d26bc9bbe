//! A zone as it will be where it goes: connected to networks that may have other names there.

use crate::evacuation::engine::Engine;
use crate::model::chain;
use crate::model::{Blocker, BlockerKind, HostUri, InterfaceMapping, Manifest};
use crate::store::{StoreError, ZoneRecord};

/// A zone on its way to a destination.
pub(in crate::evacuation) struct Mapped {
    /// The configuration kept by the host to which it belongs, with the names of its networks where it is or goes.
    pub record: Manifest,
    /// As it will be there.
    pub manifest: Manifest,
    pub mappings: Vec<InterfaceMapping>,
}

impl Engine {
    /// A zone that leaves for that target.
    pub(in crate::evacuation) fn outward(
        &self,
        zone: &Manifest,
        target: &HostUri,
    ) -> Result<Mapped, Blocker> {
        let blocker = |error: String| Blocker::new(BlockerKind::Network, error);
        let noted = zone.clone().bound_for(&self.maps.networks_of(&target.host));
        let noted = noted.map_err(|error| blocker(error.to_string()))?;
        let mappings = noted.mappings();
        self.bound(noted, mappings).map_err(blocker)
    }

    /// A zone that comes back, into the networks in which it was when it left.
    pub(in crate::evacuation) fn homeward(
        &self,
        zone: &Manifest,
        away: &ZoneRecord,
    ) -> Result<Mapped, String> {
        let kept = self.kept_of(zone, away).map_err(|error| chain(&error))?;
        let mappings = kept.as_ref().map_or(Ok(Vec::new()), |kept| kept.reverse_mapping(zone));
        let mapped = self.bound(zone.clone(), mappings.map_err(|error| error.to_string())?)?;
        Ok(Mapped { record: kept.unwrap_or(mapped.record), ..mapped })
    }

    /// The record of a zone that is away, updated with the names of its networks at the host where it is now.
    fn kept_of(&self, zone: &Manifest, away: &ZoneRecord) -> Result<Option<Manifest>, StoreError> {
        let kept = self.store.manifest_of(away.uuid)?;
        let known = self.store.away()?;
        // Its refuge has migrated it on, and so has mapped its networks.
        let followed = known.iter().any(|row| row.zone == away.zone && row.location != away.location);
        Ok(kept.map(|kept| if followed { kept.noted_at(zone) } else { kept }))
    }

    /// A zone that goes from its refuge to another host; none if its networks have other names at either of them:
    /// it would not be known which is which when it comes home.
    pub(in crate::evacuation) fn sideward(
        &self,
        zone: &Manifest,
        away: &ZoneRecord,
        target: &HostUri,
    ) -> Option<Mapped> {
        let back = self.homeward(zone, away).ok()?;
        let on = self.outward(zone, target).ok()?;
        let is_same = back.mappings.is_empty() && on.mappings.is_empty();
        is_same.then_some(Mapped { record: back.record, ..on })
    }

    fn bound(&self, record: Manifest, mappings: Vec<InterfaceMapping>) -> Result<Mapped, String> {
        let manifest = match mappings.is_empty() {
            true => record.clone(),
            false => self.local.map_interfaces(&record, &mappings).map_err(|error| error.to_string())?,
        };
        Ok(Mapped { record, manifest, mappings })
    }
}
