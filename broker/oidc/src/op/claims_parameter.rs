//! The `claims` parameter (OpenID Connect Core 5.5), and where each claim goes once it and the scopes are both known.
//!
//! Destination (Swedish profile 4.2): what the parameter names goes where the parameter says; else the scope's own rule; a claim that the
//! parameter puts in the ID token is also in userinfo when a requested scope says so.
//!
//! A claim asked for with `value` or `values` is delivered only when it is one of them (OIDC Core 5.5.1): the neutral request says so to the
//! core, which lets no other value leave, and the placement says so again per destination. `sub` with a value is the one person whom the
//! login may end with. Values may be personal numbers, so nothing here prints them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use broker_core::{
    attribute::AttributeName,
    release::ReleasedIdentity,
    request::{ExpectedSubject, RequestedAttribute},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    claims::{Claim, ClaimNames},
    op::unique::Unique,
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

/// How one claim is asked for (OIDC Core 5.5.1). Members that are not understood are ignored, as it says there. An empty list of values
/// could never be met and is refused.
#[derive(Default, Clone, PartialEq, Deserialize)]
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
            Some(Value::Array(values)) if !values.is_empty() => Some(values),
            Some(_) => return Err("values is not an array with something in it"),
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

    /// Who is asked for by `sub`, in the ID token and from userinfo alike: both must hold (OIDC Core 5.5.1).
    pub(crate) fn expected_subject(&self) -> Result<Option<ExpectedSubject>, Malformed> {
        let mut expected: Option<ExpectedSubject> = None;
        let wishes = [&self.id_token, &self.userinfo]
            .into_iter()
            .flatten()
            .filter_map(|Unique(members)| members.get("sub")?.as_ref()?.acceptable());
        for values in wishes {
            let identifiers: Option<Vec<String>> =
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
            let named = ExpectedSubject::one_of(identifiers.ok_or(Malformed)?);
            expected = Some(expected.map_or(named.clone(), |earlier| earlier.and(&named)));
        }
        Ok(expected)
    }
}

/// Claims by name; `null` is a wish without conditions.
type Members = Unique<Option<Wish>>;

/// Where the claims of one request go. Remembered across the provider trip, then part of the grant. Debug leaves the values out.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Placement {
    /// In the ID token, beside what always stands there.
    id_token: BTreeMap<Claim, Condition>,
    /// From the userinfo endpoint, beside `sub`.
    userinfo: BTreeMap<Claim, Condition>,
    /// What the parameter calls essential in the ID token.
    essential_in_id_token: BTreeSet<Claim>,
    /// What the parameter calls essential from the userinfo endpoint.
    essential_in_userinfo: BTreeSet<Claim>,
}

impl fmt::Debug for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placement")
            .field("id_token", &self.id_token.keys())
            .field("userinfo", &self.userinfo.keys())
            .finish()
    }
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
        let mut wanted: BTreeMap<(AttributeName, Option<AttributeName>, Vec<String>), bool> = BTreeMap::new();
        let may_know_organisation = [
            AttributeName::OrganisationNumber,
            AttributeName::OrganisationName,
            AttributeName::OrgAffiliation,
        ]
        .iter()
        .any(|name| entitled.contains(name));
        let mut want = |claim: Claim, essential: bool, or: Option<Claim>, condition: &Condition| {
            // A claim with several sources is not missing when one of them is.
            let essential = essential && claim.attributes().len() == 1;
            let or = or.and_then(|or| or.attributes().first().copied());
            let values = condition.as_ref().map_or_else(Vec::new, |values| claim.attribute_values(values));
            for attribute in claim.attributes() {
                *wanted.entry((*attribute, or, values.clone())).or_default() |= essential;
            }
        };
        for (target, essential, members) in [
            (&mut placement.id_token, &mut placement.essential_in_id_token, &parameter.id_token),
            (&mut placement.userinfo, &mut placement.essential_in_userinfo, &parameter.userinfo),
        ] {
            for (name, wish) in members.iter().flat_map(|Unique(members)| members) {
                let Some(claim) = Claim::from_name(name, names) else { continue };
                if claim == Claim::AuthenticatingProvider && !may_know_organisation {
                    continue;
                }
                let wish = wish.clone().unwrap_or_default();
                let condition = wish.acceptable();
                want(claim, wish.essential, None, &condition);
                // What no attribute stands for has rules of its own.
                if wish.essential && !claim.attributes().is_empty() {
                    essential.insert(claim);
                }
                target.insert(claim, condition);
            }
        }
        let by_parameter: BTreeSet<Claim> =
            placement.id_token.keys().chain(placement.userinfo.keys()).copied().collect();
        for row in scopes.iter().flat_map(|scope| scope.claims()) {
            if by_parameter.contains(&row.claim) {
                if let Some(condition) = placement.id_token.get(&row.claim).cloned() {
                    placement.userinfo.entry(row.claim).or_insert(condition);
                }
            } else {
                placement.userinfo.entry(row.claim).or_default();
            }
            // What no destination of this claim takes is not asked for either.
            let condition = placement.userinfo.get(&row.claim).or_else(|| placement.id_token.get(&row.claim));
            want(row.claim, row.essential, row.or, condition.unwrap_or(&None));
        }
        for row in scopes.iter().flat_map(|scope| scope.claims()).filter(|row| row.in_id_token) {
            if !by_parameter.contains(&row.claim) {
                placement.id_token.entry(row.claim).or_default();
            }
        }
        let attributes = wanted
            .into_iter()
            .map(|((name, or, values), essential)| RequestedAttribute { name, essential, or, values })
            .collect();
        Asked { placement, attributes }
    }

    /// The essential claims that would be lacking where the parameter wants them: one made of several attributes of which none came, or one
    /// whose value is none of those that will do. That an attribute is missing, the core has seen before.
    pub(crate) fn missing(&self, identity: &ReleasedIdentity, names: &ClaimNames) -> Vec<String> {
        let lacking = |essential: &BTreeSet<Claim>, filled: &Map<String, Value>| -> BTreeSet<Claim> {
            essential.iter().copied().filter(|claim| !filled.contains_key(claim.name(names))).collect()
        };
        let id_token = lacking(&self.essential_in_id_token, &self.id_token(identity, names));
        let userinfo = lacking(&self.essential_in_userinfo, &self.userinfo(identity, names));
        id_token.union(&userinfo).map(|claim| claim.name(names).to_owned()).collect()
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
            let value = match condition {
                None => value,
                Some(acceptable) => held(*claim, value, acceptable)?,
            };
            Some((claim.name(names).to_owned(), value))
        })
        .collect()
}

/// The value where it will do. Of several, those that will; one that is left stands alone, as it would have from the beginning.
fn held(claim: Claim, value: Value, acceptable: &[Value]) -> Option<Value> {
    if acceptable.contains(&value) {
        return Some(value);
    }
    let Value::Array(several) = value else { return None };
    let mut held: Vec<Value> = several.into_iter().filter(|one| acceptable.contains(one)).collect();
    match held.len() {
        0 => None,
        1 if !claim.is_always_a_list() => held.pop(),
        _ => Some(Value::Array(held)),
    }
}

#[cfg(test)]
mod tests;
