//! Parses an X.509 certificate (RFC 5280): the fields that this crate prints, checks or copies.
//!
//! Whether a certificate is signed by the site's authority is for rustls to decide; here it is only parsed. A
//! certificate that violates DER, or contains the same extension twice, is rejected as a whole.

use std::fmt;
use std::net::IpAddr;

use time::OffsetDateTime;
use yasna::models::ObjectIdentifier;
use yasna::tags::{
    TAG_BMPSTRING, TAG_IA5STRING, TAG_PRINTABLESTRING, TAG_TELETEXSTRING, TAG_UNIVERSALSTRING, TAG_UTCTIME,
    TAG_UTF8STRING,
};
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag, TagClass};

const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];
const SUBJECT_ALTERNATIVE_NAME: &[u64] = &[2, 5, 29, 17];
const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];

/// The parsed parts of a certificate.
pub(super) struct Certificate {
    pub(super) issuer: DistinguishedName,
    pub(super) subject: DistinguishedName,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
    /// The bits of the subject's public key.
    pub(super) public_key: Vec<u8>,
    pub(super) is_authority: bool,
    pub(super) key_identifier: Option<Vec<u8>>,
    /// The DNS names for which the certificate is valid.
    pub(super) dns_names: Vec<String>,
    /// The addresses for which the certificate is valid.
    pub(super) addresses: Vec<IpAddr>,
}

impl Certificate {
    /// Parses a whole certificate; none if it is not valid DER.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        yasna::parse_der(der, |certificate| {
            certificate.read_sequence(|parts| {
                let body = parts.next().read_sequence(body)?;
                parts.next().read_der()?; // signatureAlgorithm
                parts.next().read_der()?; // signatureValue
                Ok(body)
            })
        })
        .ok()
    }
}

/// TBSCertificate, of RFC 5280, section 4.1.
fn body(fields: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Certificate> {
    fields.read_optional(|version| version.read_tagged(Tag::context(0), |number| number.read_u8()))?;
    fields.next().read_der()?; // serialNumber
    fields.next().read_der()?; // signature
    let issuer = name(fields.next())?;
    let (not_before, not_after) =
        fields.next().read_sequence(|times| Ok((moment(times.next())?, moment(times.next())?)))?;
    let subject = name(fields.next())?;
    let public_key = fields.next().read_sequence(|key| {
        key.next().read_der()?; // algorithm
        Ok(key.next().read_bitvec_bytes()?.0)
    })?;
    let mut certificate = Certificate {
        issuer,
        subject,
        not_before,
        not_after,
        public_key,
        is_authority: false,
        key_identifier: None,
        dns_names: Vec::new(),
        addresses: Vec::new(),
    };
    // issuerUniqueID, subjectUniqueID and extensions.
    while let Some(rest) = fields.read_optional(|rest| rest.read_tagged_der())? {
        if rest.tag() == Tag::context(3) {
            yasna::parse_der(rest.value(), |extensions| read_extensions(extensions, &mut certificate))?;
        }
    }
    Ok(certificate)
}

fn read_extensions(extensions: BERReader<'_, '_>, certificate: &mut Certificate) -> ASN1Result<()> {
    let mut seen: Vec<ObjectIdentifier> = Vec::new();
    extensions.read_sequence_of(|extension| {
        let (id, value) = extension.read_sequence(|parts| {
            let id = parts.next().read_oid()?;
            parts.read_default(false, |critical| critical.read_bool())?;
            Ok((id, parts.next().read_bytes()?))
        })?;
        if seen.contains(&id) {
            return Err(invalid());
        }
        match id.components().as_slice() {
            SUBJECT_KEY_IDENTIFIER => {
                certificate.key_identifier = Some(yasna::parse_der(&value, |key| key.read_bytes())?);
            }
            SUBJECT_ALTERNATIVE_NAME => yasna::parse_der(&value, |names| {
                names.read_sequence_of(|name| alternative_name(name, certificate))
            })?,
            BASIC_CONSTRAINTS => certificate.is_authority = yasna::parse_der(&value, is_authority)?,
            _ => {}
        }
        seen.push(id);
        Ok(())
    })
}

fn alternative_name(name: BERReader<'_, '_>, certificate: &mut Certificate) -> ASN1Result<()> {
    const DNS_NAME: u64 = 2;
    const IP_ADDRESS: u64 = 7;
    let name = name.read_tagged_der()?;
    let tag = name.tag();
    if tag.tag_class != TagClass::ContextSpecific {
        return Err(invalid());
    }
    match tag.tag_number {
        DNS_NAME => {
            certificate.dns_names.push(text(name.value()).filter(|name| name.is_ascii()).ok_or_else(invalid)?)
        }
        IP_ADDRESS => {
            let v4 = <[u8; 4]>::try_from(name.value()).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(name.value()).map(IpAddr::from));
            certificate.addresses.push(address.map_err(|_| invalid())?);
        }
        _ => {}
    }
    Ok(())
}

fn is_authority(constraints: BERReader<'_, '_>) -> ASN1Result<bool> {
    constraints.read_sequence(|parts| {
        let is_authority = parts.read_default(false, |authority| authority.read_bool())?;
        parts.read_optional(|longest_chain| longest_chain.read_u32())?;
        Ok(is_authority)
    })
}

fn moment(time: BERReader<'_, '_>) -> ASN1Result<OffsetDateTime> {
    if time.lookahead_tag()? == TAG_UTCTIME {
        return Ok(*time.read_utctime()?.datetime());
    }
    Ok(*time.read_generalized_time()?.datetime())
}

/// A distinguished name: attributes in the order of the certificate.
pub(super) struct DistinguishedName {
    parts: Vec<Attribute>,
    /// Whether each part has one attribute; others cannot be copied into a new certificate.
    is_plain: bool,
}

struct Attribute {
    kind: ObjectIdentifier,
    tag: Tag,
    value: Vec<u8>,
}

fn name(name: BERReader<'_, '_>) -> ASN1Result<DistinguishedName> {
    let mut parts = Vec::new();
    let mut is_plain = true;
    name.read_sequence_of(|part| {
        let before = parts.len();
        part.read_set_of(|attribute| {
            attribute.read_sequence(|fields| {
                let kind = fields.next().read_oid()?;
                let value = fields.next().read_tagged_der()?;
                parts.push(Attribute { kind, tag: value.tag(), value: value.value().to_vec() });
                Ok(())
            })
        })?;
        is_plain &= parts.len() == before + 1;
        Ok(())
    })?;
    Ok(DistinguishedName { parts, is_plain })
}

impl DistinguishedName {
    /// The same name, to be written into a certificate; none if it cannot be copied exactly.
    pub(super) fn to_distinguished_name(&self) -> Option<rcgen::DistinguishedName> {
        let mut copy = rcgen::DistinguishedName::new();
        for Attribute { kind, tag, value } in &self.parts {
            let value = match *tag {
                TAG_UTF8STRING => rcgen::DnValue::Utf8String(text(value)?),
                TAG_PRINTABLESTRING => rcgen::DnValue::PrintableString(text(value)?.try_into().ok()?),
                TAG_IA5STRING => rcgen::DnValue::Ia5String(text(value)?.try_into().ok()?),
                TAG_TELETEXSTRING => rcgen::DnValue::TeletexString(text(value)?.try_into().ok()?),
                TAG_BMPSTRING => {
                    rcgen::DnValue::BmpString(rcgen::string::BmpString::from_utf16be(value.clone()).ok()?)
                }
                TAG_UNIVERSALSTRING => rcgen::DnValue::UniversalString(
                    rcgen::string::UniversalString::from_utf32be(value.clone()).ok()?,
                ),
                _ => return None,
            };
            copy.push(rcgen::DnType::CustomDnType(kind.components().clone()), value);
        }
        // An attribute that occurs twice has been overwritten.
        (self.is_plain && copy.iter().count() == self.parts.len()).then_some(copy)
    }
}

impl fmt::Display for DistinguishedName {
    /// `O=Example, CN=sysadm CA`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Attribute { kind, value, .. }) in self.parts.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            match abbreviation(kind.components()) {
                Some(kind) => write!(f, "{comma}{kind}=")?,
                None => write!(f, "{comma}{kind}=")?,
            }
            match text(value) {
                Some(text) => f.write_str(&text)?,
                None => value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?,
            }
        }
        Ok(())
    }
}

fn abbreviation(kind: &[u64]) -> Option<&'static str> {
    Some(match kind {
        [2, 5, 4, 3] => "CN",
        [2, 5, 4, 5] => "serialNumber",
        [2, 5, 4, 6] => "C",
        [2, 5, 4, 7] => "L",
        [2, 5, 4, 8] => "ST",
        [2, 5, 4, 10] => "O",
        [2, 5, 4, 11] => "OU",
        [0, 9, 2342, 19_200_300, 100, 1, 25] => "DC",
        [1, 2, 840, 113_549, 1, 9, 1] => "emailAddress",
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn invalid() -> ASN1Error {
    ASN1Error::new(ASN1ErrorKind::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, IsCa, KeyIdMethod, KeyPair,
    };

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let names = ["h1.example.com", "h1", "10.0.0.1", "fe80::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.not_before = rcgen::date_time_ymd(2020, 1, 2);
        params.not_after = rcgen::date_time_ymd(2051, 3, 4);
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn what_is_written_is_read() {
        let certificate = Certificate::read(&made(|_| {})).unwrap();
        assert_eq!(certificate.dns_names, ["h1.example.com", "h1"]);
        assert_eq!(
            certificate.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.1", "fe80::1"]
        );
        assert_eq!(certificate.not_before, rcgen::date_time_ymd(2020, 1, 2));
        assert_eq!(certificate.not_after, rcgen::date_time_ymd(2051, 3, 4));
        assert!(!certificate.is_authority);
        assert_eq!((certificate.subject.to_string().as_str(), certificate.key_identifier), ("", None));
    }

    #[test]
    fn an_authority_is_told_from_a_host() {
        for (is_ca, expected) in [
            (IsCa::Ca(BasicConstraints::Unconstrained), true),
            (IsCa::Ca(BasicConstraints::Constrained(3)), true),
            (IsCa::ExplicitNoCa, false),
            (IsCa::NoCa, false),
        ] {
            let der = made(|params| {
                params.is_ca = is_ca;
                params.key_identifier_method = KeyIdMethod::PreSpecified(vec![1, 2, 3]);
            });
            let certificate = Certificate::read(&der).unwrap();
            assert_eq!(certificate.is_authority, expected);
            assert!(!expected || certificate.key_identifier.as_deref() == Some(&[1, 2, 3]));
        }
    }

    #[test]
    fn a_name_is_printed_and_copied_whatever_its_strings_are() {
        let der = made(|params| {
            let name = &mut params.distinguished_name;
            name.push(DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap()));
            name.push(
                DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]),
                DnValue::Ia5String("a@b".try_into().unwrap()),
            );
            name.push(DnType::OrganizationName, "Müller");
            name.push(DnType::OrganizationalUnitName, DnValue::BmpString("Ü".try_into().unwrap()));
            name.push(
                DnType::CustomDnType(vec![2, 5, 4, 65]),
                DnValue::TeletexString("t".try_into().unwrap()),
            );
            name.push(DnType::CommonName, "sysadm CA");
        });
        let read = Certificate::read(&der).unwrap();
        let expected = "C=DE, emailAddress=a@b, O=Müller, OU=00dc, 2.5.4.65=t, CN=sysadm CA";
        assert_eq!((read.subject.to_string(), read.issuer.to_string()), (expected.into(), expected.into()));
        let copy = made(|params| params.distinguished_name = read.subject.to_distinguished_name().unwrap());
        let name = |der: &[u8]| {
            der.windows(2).position(|pair| pair == [0x31, 0x0b]).map(|at| der[at..at + 100].to_vec())
        };
        assert_eq!(name(&der), name(&copy));
        assert!(name(&der).is_some());
    }

    #[test]
    fn the_same_extension_twice_is_not_understood() {
        let der = made(|params| {
            let names = yasna::construct_der(|writer| {
                writer.write_sequence(|names| {
                    names.next().write_tagged_implicit(Tag::context(2), |name| name.write_ia5_string("evil"));
                });
            });
            params.custom_extensions =
                vec![CustomExtension::from_oid_content(SUBJECT_ALTERNATIVE_NAME, names)];
        });
        assert!(Certificate::read(&der).is_none());
    }

    #[test]
    fn a_name_that_is_not_ascii_is_not_understood() {
        let mut der = made(|_| {});
        let at = der.windows(14).position(|part| part == b"h1.example.com").unwrap();
        der[at] = 0xff;
        assert!(Certificate::read(&der).is_none());
    }

    proptest! {
        #[test]
        fn damage_is_never_a_panic(cut in 0_usize..700, changes in prop::collection::vec((0_usize..700, any::<u8>()), 0..4)) {
            let mut der = made(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
            for (at, byte) in changes {
                if let Some(place) = der.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = Certificate::read(&der);
            der.truncate(cut);
            prop_assert!(cut >= der.len() || Certificate::read(&der).is_none());
            let _ = Certificate::read(&der);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Certificate::read(&bytes).is_none());
        }
    }
}
