//! The policies that are shipped.

/// The policies that are part of the program: name and text.
pub const SHIPPED: [(&str, &str); 6] = [
    ("balance", include_str!("../../../policies/balance.toml")),
    ("fastest", include_str!("../../../policies/fastest.toml")),
    ("pack", include_str!("../../../policies/pack.toml")),
    ("pinned", include_str!("../../../policies/pinned.toml")),
    ("single-host", include_str!("../../../policies/single-host.toml")),
    ("spread", include_str!("../../../policies/spread.toml")),
];
