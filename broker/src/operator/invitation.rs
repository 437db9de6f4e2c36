//! An invitation's link: a calm page with one button. Looking at it consumes nothing, so that what reads mail before people do, opens no place.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, header};
use metadata::desk::{Invitation, InvitationLink, NotOpened};

use super::visit::{self, Cookie, Form, Instead};
use crate::{
    desk::DeskFailed,
    endpoint::notice::from_own_page,
    moment,
    page::{InvitationView, OperatorMessage, OperatorPage},
    respond,
    wiring::Node,
};

/// GET `/operator/invitation/{link}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    shown(&node, &link, &headers).await.unwrap_or_else(|instead| *instead)
}

async fn shown(node: &Node, text: &str, headers: &HeaderMap) -> Result<Response, Instead> {
    let language = visit::language(node, headers);
    let refused = |not_opened| {
        visit::message_page(node, &language, visit::said_of(not_opened, OperatorMessage::Unknown))
    };
    let link = InvitationLink::parse(text).ok_or_else(|| refused(NotOpened::Unknown))?;
    let desk = visit::desk(node, &language).await?;
    let invitation = desk.invitations.get(link.id()).ok_or_else(|| refused(NotOpened::Unknown))?;
    let place = place_of(node, headers, invitation);
    let place = place.as_ref().map(|cookie| cookie.secret().as_str());
    invitation
        .would_open(&super::invitation_key(&node.keys), &link, place, moment::now())
        .map_err(refused)?;
    let registry = node.registry.any();
    let view = InvitationView {
        organisation: registry
            .organisation(&invitation.organisation)
            .and_then(|organisation| organisation.name.best(std::slice::from_ref(&language)))
            .unwrap_or(invitation.organisation.as_str())
            .to_owned(),
        holder: invitation.holder.clone(),
        purpose: Some(invitation.purpose.clone()).filter(|purpose| !purpose.is_empty()),
        link: link.to_text(),
        expires: invitation.expires,
    };
    Ok(respond::html(StatusCode::OK, node.pages.operator(&language, OperatorPage::Invitation(&view))))
}

/// The cookie that a browser has for this very invitation.
fn place_of(node: &Node, headers: &HeaderMap, invitation: &Invitation) -> Option<Cookie> {
    Cookie::of(node, headers).filter(|cookie| cookie.invitation() == invitation.id)
}

/// POST `/operator/invitation`
pub(super) async fn open(State(node): State<Arc<Node>>, request: Request<Body>) -> Response {
    opened(&node, request).await.unwrap_or_else(|instead| *instead)
}

/// Why the button opened nothing.
enum NotDone {
    Refused(NotOpened),
    Desk(DeskFailed),
}

impl From<DeskFailed> for NotDone {
    fn from(failed: DeskFailed) -> Self {
        Self::Desk(failed)
    }
}

async fn opened(node: &Node, request: Request<Body>) -> Result<Response, Instead> {
    let headers = request.headers().clone();
    let language = visit::language(node, &headers);
    let refused = |message| visit::message_page(node, &language, message);
    // Somebody else's page must not put a person into a place of its choice.
    if !from_own_page(&headers, &node.config) {
        return Err(refused(OperatorMessage::Form));
    }
    let form = Form::read(request).await.ok_or_else(|| refused(OperatorMessage::Form))?;
    let link = InvitationLink::parse(form.field("invitation"));
    let link = link.ok_or_else(|| refused(OperatorMessage::Unknown))?;
    let now = moment::now();
    let key = super::invitation_key(&node.keys);
    let cookie = Cookie::of(node, &headers)
        .filter(|cookie| cookie.invitation() == link.id())
        .unwrap_or_else(|| Cookie::new(link.id()));
    let opened = node.desk.change(&**node.vault.store(), now, |desk| {
        let invitation = desk.invitations.get_mut(link.id()).ok_or(NotDone::Refused(NotOpened::Unknown))?;
        invitation.open(&key, &link, cookie.secret().as_str(), now).map_err(NotDone::Refused)?;
        Ok(invitation.expires)
    });
    let expires = match opened.await {
        Ok(expires) => expires,
        Err(NotDone::Refused(not_opened)) => {
            return Err(refused(visit::said_of(not_opened, OperatorMessage::Unknown)));
        }
        Err(NotDone::Desk(failed)) => return Err(visit::desk_away(node, &language, &failed)),
    };
    tracing::info!(invitation = link.id(), "an invitation opened a place");
    let mut response = respond::see_other("/operator").into_response();
    if let Some(header) = cookie.set(node, now, expires) {
        response.headers_mut().append(header::SET_COOKIE, header);
    }
    Ok(response)
}
