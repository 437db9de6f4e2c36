//! The table of addresses.

use std::pin::Pin;

use axum::response::Response;
use http::Method;
use metadata::saml;
use schemars::{Schema, SchemaGenerator};

use super::{
    answer::{
        Approved, Decline, OrganisationRecord, ProposalDetail, ProposalSummary, Proposals, Published,
        RotatedToken, Submitted, TokenFacts,
    },
    openapi, own,
    problem::{Kind, Problem, ProblemKind},
    proposal,
    registered::{self, Registered, Revisions},
    serve::Call,
    submission,
};

/// What a handler returns.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// One method of one address.
pub(super) struct Operation {
    verb: Verb,
    /// The path below `/api`, with parameters in braces.
    pub(super) path: &'static str,
    /// Its stable name, in the OpenAPI document and in the log.
    pub(super) id: &'static str,
    /// In short.
    pub(super) summary: &'static str,
    /// At length.
    pub(super) description: &'static str,
    /// Who may.
    pub(super) needs: Needs,
    /// Parameters of the path and of the query, and headers.
    pub(super) parameters: &'static [Parameter],
    /// What it takes as a body.
    pub(super) takes: Takes,
    /// What a success is.
    pub(super) gives: &'static [Gives],
    /// Problems beyond those that every operation has.
    pub(super) problems: &'static [Kind],
    /// What it does.
    pub(super) run: fn(Call) -> Answering,
}

impl Operation {
    /// Its method.
    pub(super) fn method(&self) -> Method {
        match self.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Delete => Method::DELETE,
        }
    }

    /// Whether it can change something: then the token is looked up anew, and not as the node knew it a second ago.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.verb, Verb::Get)
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Get,
    Post,
    Delete,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody.
    Nothing,
    /// Whoever has a token.
    Token,
    /// Whoever has one with the right to publish.
    Publish,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Path,
    Query,
    Header,
}

/// A parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) within: Within,
    pub(super) description: &'static str,
    pub(super) schema: fn() -> serde_json::Value,
    pub(super) example: &'static str,
}

/// What a body is.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// None.
    Nothing,
    /// A metadata file.
    Metadata,
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
}

impl Takes {
    /// The largest, in octets.
    pub(super) fn largest(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Metadata => saml::MOST_OCTETS,
            Self::Json(_) => 16 * 1024,
        }
    }
}

/// A success.
pub(super) struct Gives {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) content: Content,
    /// Headers that it has, each with its meaning.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// What a success has as a body.
pub(super) enum Content {
    Nothing,
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Octets of one of these types.
    Document(&'static [&'static str]),
}

/// The schema of a type.
macro_rules! schema {
    ($type:ty) => {
        |generator: &mut SchemaGenerator| generator.subschema_for::<$type>()
    };
}

const fn ok(description: &'static str, schema: fn(&mut SchemaGenerator) -> Schema) -> Gives {
    Gives { status: 200, description, content: Content::Json(schema), headers: &[] }
}

const NUMBER: Parameter = Parameter {
    name: "number",
    within: Within::Path,
    description: "The proposal's number.",
    schema: || serde_json::json!({ "type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_991_u64 }),
    example: "7",
};

const IF_NONE_MATCH: Parameter = Parameter {
    name: "If-None-Match",
    within: Within::Header,
    description: "ETags of versions that you have: then the answer is 304 without a body where one of them is still right.",
    schema: || serde_json::json!({ "type": "string" }),
    example: "\"0f6c2a9b\"",
};

const IF_MATCH: Parameter = Parameter {
    name: "If-Match",
    within: Within::Header,
    description: "The ETag of the proposal as you saw it. A proposal that is held is approved with it alone: it says that you have seen why.",
    schema: || serde_json::json!({ "type": "string" }),
    example: "\"0f6c2a9b\"",
};

const ETAG: (&str, &str) = ("ETag", "The version.");

/// Every operation of the API.
pub(super) const ALL: &[Operation] = &[
    Operation {
        verb: Verb::Post,
        path: "/v1/metadata",
        id: "submitMetadata",
        summary: "Submit metadata",
        description: "Judges a file by the rules, bounded by your organisation's record, and makes a proposal of it that another person approves. The file is SAML metadata of identity providers (XML) or the client metadata of a relying party (JSON). A file that was submitted already and still waits gives the same proposal. Nothing is live before another person has published it.",
        needs: Needs::Token,
        parameters: &[
            Parameter {
                name: "profile",
                within: Within::Query,
                description: "Judge also by the rules of this profile; may be given several times. The base, and the profiles that the federation has chosen, are always judged by.",
                schema: openapi::profiles,
                example: "sweden-connect",
            },
            Parameter {
                name: "dry_run",
                within: Within::Query,
                description: "Only the report: nothing is proposed.",
                schema: || serde_json::json!({ "type": "boolean", "default": false }),
                example: "true",
            },
            Parameter {
                name: "note",
                within: Within::Query,
                description: "What you say of it to whoever approves it. No personal data.",
                schema: || serde_json::json!({ "type": "string", "maxLength": submission::LONGEST_NOTE }),
                example: "New signing key",
            },
            Parameter {
                name: "subject_source",
                within: Within::Query,
                description: "What people's identifiers are made from, for a provider that joins and does not say it in its metadata. It is pinned for good.",
                schema: openapi::subject_sources,
                example: "subject_id",
            },
        ],
        takes: Takes::Metadata,
        gives: &[
            Gives {
                status: 201,
                description: "It is proposed, and waits for another person.",
                content: Content::Json(schema!(Submitted)),
                headers: &[("Location", "Where the proposal is.")],
            },
            ok("Nothing was proposed (`dry_run`), or the same file waits already.", schema!(Submitted)),
        ],
        problems: &[
            Kind::MALFORMED,
            Kind::NOTHING_CHANGES,
            Kind::TOO_MANY_PROPOSALS,
            Kind::TOO_LARGE,
            Kind::MEDIA_TYPE,
            Kind::REFUSED,
            Kind::NOT_FOUND,
        ],
        run: |call| Box::pin(submission::submit(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/metadata",
        id: "listMetadata",
        summary: "What is registered",
        description: "The providers and relying parties of your organisation: whether they take part, and of each key until when its certificate says that it is valid, and when it last verified a message.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("They, in the order of their names.", schema!(Registered))],
        problems: &[],
        run: |call| Box::pin(registered::list(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/metadata/{id}",
        id: "readMetadata",
        summary: "A registered document",
        description: "The document of one of your entries, as it is live.",
        needs: Needs::Token,
        parameters: &[
            Parameter {
                name: "id",
                within: Within::Path,
                description: "The entity ID or `client_id`, percent-encoded.",
                schema: || serde_json::json!({ "type": "string", "minLength": 1 }),
                example: "https://idp.granvik.example/saml",
            },
            IF_NONE_MATCH,
        ],
        takes: Takes::Nothing,
        gives: &[
            Gives {
                status: 200,
                description: "The document.",
                content: Content::Document(&["application/samlmetadata+xml", "application/json"]),
                headers: &[ETAG],
            },
            Gives { status: 304, description: "You have it.", content: Content::Nothing, headers: &[ETAG] },
        ],
        problems: &[Kind::NOT_FOUND],
        run: |call| Box::pin(registered::document(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/proposals",
        id: "listProposals",
        summary: "Proposals",
        description: "The proposals of your organisation, the newest first, closed ones with them while they are kept.",
        needs: Needs::Token,
        parameters: &[Parameter {
            name: "open",
            within: Within::Query,
            description: "Only those that wait.",
            schema: || serde_json::json!({ "type": "boolean", "default": false }),
            example: "true",
        }],
        takes: Takes::Nothing,
        gives: &[ok("They, at most 200.", schema!(Proposals))],
        problems: &[],
        run: |call| Box::pin(proposal::list(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/proposals/{number}",
        id: "readProposal",
        summary: "A proposal",
        description: "What it changes in words, what the rules say of it now, why it is held and the safe order of steps, and what it still needs.",
        needs: Needs::Token,
        parameters: &[NUMBER, IF_NONE_MATCH],
        takes: Takes::Nothing,
        gives: &[
            Gives {
                status: 200,
                description: "It.",
                content: Content::Json(schema!(ProposalDetail)),
                headers: &[ETAG],
            },
            Gives { status: 304, description: "You have it.", content: Content::Nothing, headers: &[ETAG] },
        ],
        problems: &[Kind::NOT_FOUND, Kind::STALE],
        run: |call| Box::pin(proposal::read(call)),
    },
    Operation {
        verb: Verb::Post,
        path: "/v1/proposals/{number}/approve",
        id: "approveProposal",
        summary: "Approve a proposal",
        description: "Another person than its author approves. One that is held needs two other people, each with If-Match, which says that they have seen why. It is not live before it is published.",
        needs: Needs::Publish,
        parameters: &[NUMBER, IF_MATCH],
        takes: Takes::Nothing,
        gives: &[ok("It is approved; what it still needs.", schema!(Approved))],
        problems: &[
            Kind::OWN_PROPOSAL,
            Kind::NOT_FOUND,
            Kind::STATE,
            Kind::STALE,
            Kind::APPROVED_ALREADY,
            Kind::PRECONDITION,
            Kind::REFUSED,
            Kind::SEE_HOLDS,
        ],
        run: |call| Box::pin(proposal::approve(call)),
    },
    Operation {
        verb: Verb::Post,
        path: "/v1/proposals/{number}/decline",
        id: "declineProposal",
        summary: "Decline a proposal",
        description: "Another person than its author says no, and why.",
        needs: Needs::Publish,
        parameters: &[NUMBER],
        takes: Takes::Json(schema!(Decline)),
        gives: &[ok("It is declined.", schema!(ProposalSummary))],
        problems: &[
            Kind::MALFORMED,
            Kind::OWN_PROPOSAL,
            Kind::NOT_FOUND,
            Kind::STATE,
            Kind::TOO_LARGE,
            Kind::MEDIA_TYPE,
        ],
        run: |call| Box::pin(proposal::decline(call)),
    },
    Operation {
        verb: Verb::Post,
        path: "/v1/proposals/{number}/withdraw",
        id: "withdrawProposal",
        summary: "Withdraw a proposal",
        description: "Its author takes it back.",
        needs: Needs::Token,
        parameters: &[NUMBER],
        takes: Takes::Nothing,
        gives: &[ok("It is withdrawn.", schema!(ProposalSummary))],
        problems: &[Kind::NOT_AUTHOR, Kind::NOT_FOUND, Kind::STATE],
        run: |call| Box::pin(proposal::withdraw(call)),
    },
    Operation {
        verb: Verb::Post,
        path: "/v1/proposals/{number}/publish",
        id: "publishProposal",
        summary: "Publish a proposal",
        description: "Makes somebody else's proposal live, once it has the approvals that it needs. Everything is judged anew at that moment: the rules, the organisation's record, and why it may be held.",
        needs: Needs::Publish,
        parameters: &[NUMBER],
        takes: Takes::Nothing,
        gives: &[ok("It is live.", schema!(Published))],
        problems: &[
            Kind::OWN_PROPOSAL,
            Kind::NOT_FOUND,
            Kind::STATE,
            Kind::STALE,
            Kind::NOT_APPROVED,
            Kind::HELD,
            Kind::REFUSED,
        ],
        run: |call| Box::pin(proposal::publish(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/organisation",
        id: "readOrganisation",
        summary: "Your organisation's record",
        description: "What bounds your organisation's metadata and assertions. The federation operator alone changes it.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("The record.", schema!(OrganisationRecord))],
        problems: &[Kind::NOT_FOUND],
        run: |call| Box::pin(own::organisation(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/revisions",
        id: "listRevisions",
        summary: "Revisions",
        description: "The revisions that changed your organisation's entries or record, the newest first.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("They, at most 100 of the last 1,000 revisions.", schema!(Revisions))],
        problems: &[],
        run: |call| Box::pin(registered::revisions(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/token",
        id: "readToken",
        summary: "Who you are",
        description: "Whose your token is, for whom it speaks, what it may do, and when it ends.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("That.", schema!(TokenFacts))],
        problems: &[],
        run: |call| Box::pin(own::token(call)),
    },
    Operation {
        verb: Verb::Post,
        path: "/v1/token/rotate",
        id: "rotateToken",
        summary: "Renew your token's secret",
        description: "Gives your token a new secret, shown this once; the old one opens nothing from that moment here, and within two seconds on every node. The token ends when it would have.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("The new token.", schema!(RotatedToken))],
        problems: &[],
        run: |call| Box::pin(own::rotate(call)),
    },
    Operation {
        verb: Verb::Delete,
        path: "/v1/token",
        id: "revokeToken",
        summary: "Revoke your token",
        description: "Your token opens nothing any more, here at once and within two seconds on every node.",
        needs: Needs::Token,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[Gives {
            status: 204,
            description: "It is revoked.",
            content: Content::Nothing,
            headers: &[],
        }],
        problems: &[],
        run: |call| Box::pin(own::revoke(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/openapi.json",
        id: "readDescription",
        summary: "This description",
        description: "The API as OpenAPI 3.1.",
        needs: Needs::Nothing,
        parameters: &[],
        takes: Takes::Nothing,
        gives: &[ok("OpenAPI 3.1.", schema!(serde_json::Map<String, serde_json::Value>))],
        problems: &[],
        run: |call| Box::pin(own::description(call)),
    },
    Operation {
        verb: Verb::Get,
        path: "/v1/problems/{name}",
        id: "readProblem",
        summary: "A kind of problem",
        description: "What the `type` of a problem leads to: the kind, explained.",
        needs: Needs::Nothing,
        parameters: &[Parameter {
            name: "name",
            within: Within::Path,
            description: "The last word of the type.",
            schema: openapi::problem_names,
            example: "token-expired",
        }],
        takes: Takes::Nothing,
        gives: &[ok("It.", schema!(ProblemKind))],
        problems: &[Kind::NOT_FOUND],
        run: |call| Box::pin(own::problem(call)),
    },
];
