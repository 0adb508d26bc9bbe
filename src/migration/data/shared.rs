//! Storage that both hosts see: nothing is copied.

use super::Mover;
use crate::host::DiskView;
use crate::model::Blocker;

pub(super) struct SharedStorage;

impl Mover for SharedStorage {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn fits(&self, view: &DiskView) -> Result<(), Blocker> {
        view.blocker().map_or(Ok(()), Err)
    }
}
