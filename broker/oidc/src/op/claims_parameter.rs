//! The `claims` parameter (OpenID Connect Core 5.5), and where each claim goes once it and the scopes are both known.
//!
//! Destination (Swedish profile 4.2): what the parameter names goes where the parameter says; else the scope's own rule; a claim that the
//! parameter puts in the ID token is also in userinfo when a requested scope says so.
//!
//! A claim asked for with `value` or `values` is delivered only when it is one of them (OIDC Core 5.5.1). `sub` with a value is refused:
//! it would have to fail logins of anybody else, and nothing here can promise that yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};

use broker_core::{attribute::AttributeName, release::ReleasedIdentity, request::RequestedAttribute};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{
    claims::{Claim, ClaimNames},
    scope::Scope,
};

/// Octets of the parameter.
const LARGEST: usize = 16 * 1024;
/// Claims in one member, and values of one claim.
const MOST: usize = 100;

/// The parameter, as read: by name, since `acr` and `sub` have rules of their own.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ClaimsParameter {
    #[serde(default)]
    id_token: Option<Members>,
    #[serde(default)]
    userinfo: Option<Members>,
}

/// How one claim is asked for (OIDC Core 5.5.1). Members that are not understood are ignored, as it says there.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Unique<Value>")]
pub(crate) struct Wish {
    pub(crate) essential: bool,
    value: Option<Value>,
    values: Option<Vec<Value>>,
}

impl TryFrom<Unique<Value>> for Wish {
    type Error = &'static str;
    fn try_from(Unique(mut members): Unique<Value>) -> Result<Self, &'static str> {
        let essential = match members.remove("essential") {
            None => false,
            Some(Value::Bool(essential)) => essential,
            Some(_) => return Err("essential is neither true nor false"),
        };
        let values = match members.remove("values") {
            None => None,
            Some(Value::Array(values)) => Some(values),
            Some(_) => return Err("values is not an array"),
        };
        Ok(Self { essential, value: members.remove("value"), values })
    }
}

impl Wish {
    /// The values that will do; `None`: any.
    pub(crate) fn acceptable(&self) -> Option<Vec<Value>> {
        let mut acceptable: Vec<Value> = self.values.clone().unwrap_or_default();
        acceptable.extend(self.value.clone());
        (self.value.is_some() || self.values.is_some()).then_some(acceptable)
    }
}

/// Why the parameter was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl ClaimsParameter {
    /// Reads the parameter.
    pub(crate) fn read(text: &str) -> Result<Self, Malformed> {
        // A derived reading would also take an array, by position.
        if text.len() > LARGEST || !text.trim_start().starts_with('{') {
            return Err(Malformed);
        }
        let read: Self = serde_json::from_str(text).map_err(|_| Malformed)?;
        let within = |members: &Option<Members>| {
            members.as_ref().is_none_or(|Unique(members)| {
                members.len() <= MOST
                    && members
                        .values()
                        .flatten()
                        .all(|wish| wish.values.as_ref().is_none_or(|values| values.len() <= MOST))
            })
        };
        if within(&read.id_token) && within(&read.userinfo) { Ok(read) } else { Err(Malformed) }
    }

    /// How `acr` is asked for in the ID token.
    pub(crate) fn acr(&self) -> Option<Wish> {
        self.id_token.as_ref()?.0.get("acr").map(|wish| wish.clone().unwrap_or_default())
    }

    /// Whether somebody of a certain `sub` is asked for.
    pub(crate) fn names_a_subject(&self) -> bool {
        [&self.id_token, &self.userinfo]
            .into_iter()
            .flatten()
            .filter_map(|Unique(members)| members.get("sub")?.as_ref())
            .any(|wish| wish.acceptable().is_some())
    }
}

/// Claims by name; `null` is a wish without conditions.
type Members = Unique<Option<Wish>>;

/// A JSON object in which no name occurs twice.
#[derive(Debug)]
struct Unique<V>(BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Reader<V> {
            type Value = Unique<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Unique<V>, M::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, V>()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a name stands twice"));
                    }
                }
                Ok(Unique(members))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// Where the claims of one request go. Remembered across the provider trip, then part of the grant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Placement {
    /// In the ID token, beside what always stands there.
    id_token: BTreeMap<Claim, Condition>,
    /// From the userinfo endpoint, beside `sub`.
    userinfo: BTreeMap<Claim, Condition>,
}

/// The values that will do; `None`: any.
type Condition = Option<Vec<Value>>;

/// A placement, and what it takes to fill it.
pub(crate) struct Asked {
    pub(crate) placement: Placement,
    pub(crate) attributes: Vec<RequestedAttribute>,
}

impl Placement {
    /// Puts scopes and parameter together. `entitled` decides on the one claim that no attribute stands for: who authenticated is told
    /// to those who may know the organisation.
    pub(crate) fn of(
        scopes: &BTreeSet<Scope>,
        parameter: &ClaimsParameter,
        names: &ClaimNames,
        entitled: &BTreeSet<AttributeName>,
    ) -> Asked {
        let mut placement = Self::default();
        let mut wanted: BTreeMap<AttributeName, bool> = BTreeMap::new();
        let may_know_organisation = [
            AttributeName::OrganisationNumber,
            AttributeName::OrganisationName,
            AttributeName::OrgAffiliation,
        ]
        .iter()
        .any(|name| entitled.contains(name));
        let mut want = |claim: Claim, essential: bool| {
            // A claim with several sources is not missing when one of them is.
            let essential = essential && claim.attributes().len() == 1;
            for attribute in claim.attributes() {
                *wanted.entry(*attribute).or_default() |= essential;
            }
        };
        for (target, members) in
            [(&mut placement.id_token, &parameter.id_token), (&mut placement.userinfo, &parameter.userinfo)]
        {
            for (name, wish) in members.iter().flat_map(|Unique(members)| members) {
                let Some(claim) = Claim::from_name(name, names) else { continue };
                if claim == Claim::AuthenticatingProvider && !may_know_organisation {
                    continue;
                }
                let wish = wish.clone().unwrap_or_default();
                want(claim, wish.essential);
                target.insert(claim, wish.acceptable());
            }
        }
        let by_parameter: BTreeSet<Claim> =
            placement.id_token.keys().chain(placement.userinfo.keys()).copied().collect();
        for row in scopes.iter().flat_map(|scope| scope.claims()) {
            want(row.claim, row.essential);
            if by_parameter.contains(&row.claim) {
                if let Some(condition) = placement.id_token.get(&row.claim).cloned() {
                    placement.userinfo.entry(row.claim).or_insert(condition);
                }
                continue;
            }
            placement.userinfo.entry(row.claim).or_default();
        }
        for row in scopes.iter().flat_map(|scope| scope.claims()).filter(|row| row.in_id_token) {
            if !by_parameter.contains(&row.claim) {
                placement.id_token.entry(row.claim).or_default();
            }
        }
        let attributes =
            wanted.into_iter().map(|(name, essential)| RequestedAttribute { name, essential }).collect();
        Asked { placement, attributes }
    }

    /// The claims of the ID token that this request asked for, out of what is released.
    pub(crate) fn id_token(&self, identity: &ReleasedIdentity, names: &ClaimNames) -> Map<String, Value> {
        filled(&self.id_token, identity, names)
    }

    /// The claims of the userinfo response, out of what is released.
    pub(crate) fn userinfo(&self, identity: &ReleasedIdentity, names: &ClaimNames) -> Map<String, Value> {
        filled(&self.userinfo, identity, names)
    }
}

fn filled(
    wanted: &BTreeMap<Claim, Condition>,
    identity: &ReleasedIdentity,
    names: &ClaimNames,
) -> Map<String, Value> {
    wanted
        .iter()
        .filter_map(|(claim, condition)| {
            let value = claim.value(identity)?;
            let held = condition.as_ref().is_none_or(|acceptable| acceptable.contains(&value));
            held.then(|| (claim.name(names).to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests;
