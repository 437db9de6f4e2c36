# What somebody reads who looks after an organisation's metadata, without an account, by an invitation. The voice is that of en.ftl.

operator-date = { $day } { $month } { $year }

## The invitation

operator-invitation-title = Invitation to { $organisation }
operator-invitation-lead = Hello { $holder }. Here you can hand in metadata for { $organisation } in { $federation }, and see what is registered already.
operator-invitation-purpose = The invitation is for: { $purpose }
operator-invitation-button = Open the page of { $organisation }
operator-invitation-once = The link opens the page once, in this browser. The page stays open until { $until }.

## What says no, or that something is done

operator-message-used-title = The link has been used
operator-message-used-what = An invitation opens the page in one browser, and this one was opened in another.
operator-message-used-next = If that was you, use the same browser as then. Otherwise ask whoever invited you for a new link, and say that the old one had been used.
operator-message-expired-title = The invitation has run out
operator-message-expired-what = The invitation held for a number of days, and they have passed.
operator-message-expired-next = Ask whoever invited you for a new link. What you handed in is still there.
operator-message-revoked-title = The invitation is closed
operator-message-revoked-what = The federation's operator has taken the invitation back.
operator-message-revoked-next = Ask whoever invited you for a new link if you are still to hand in metadata.
operator-message-unknown-title = The link cannot be used
operator-message-unknown-what = There is no invitation with this link. It may have been cut off on its way.
operator-message-unknown-next = Copy the whole link out of the letter and try again, or ask whoever invited you for a new one.
operator-message-closed-title = The page is not open here
operator-message-closed-what = The page opens with an invitation, and closes after eight hours in which nobody uses it.
operator-message-closed-next = Open the link of your invitation again, in the same browser. If you have none, ask the federation's operator for one.
operator-message-left-title = You have left the page
operator-message-left-what = The page is closed in this browser, and the link of the invitation cannot be used again. What you handed in is still there.
operator-message-left-next = If you need to come back, ask whoever invited you for a new link.
operator-message-form-title = The form did not come from the page
operator-message-form-what = We cannot see that it was you who pressed, so nothing was changed.
operator-message-form-next = Go back to the page and try again.
operator-message-form-button = To the page
operator-message-away-title = The page rests for a moment
operator-message-away-what = A part of the service does not answer right now. Nothing was changed.
operator-message-away-next = Wait a minute and try again. If it happens again, read the reference to the federation's operator.
operator-message-away-button = Try again
operator-message-gone-title = There is nothing here any more
operator-message-gone-what = A file that is not handed in stays for a day. This one is gone, or never belonged to your page.
operator-message-gone-next = Give us the file again.
operator-message-gone-button = To the page
operator-reference = Reference:

## The page

operator-place-title = Metadata of { $organisation }
operator-place-lead = You are { $holder } here. What you hand in is seen once another person has approved it.
operator-submit-link = Hand in metadata
operator-back = To the page of { $organisation }
operator-proposals = Changes handed in
operator-proposal-name = Change { $number }: { $about }
operator-proposal-by = { $author }, { $at }
operator-state-draft = A draft.
operator-state-validated = Waits for another person to approve it.
operator-state-approved = Approved, and waits to be published.
operator-state-published = Published in revision { $revision }.
operator-state-superseded = Out of date: what it changes has changed since. Hand the file in again.
operator-state-withdrawn = Taken back.
operator-state-declined = Declined.
operator-providers = Sign-ins
operator-no-provider = No sign-in is registered yet.
operator-services = Services
operator-no-service = No service is registered.
operator-entry-suspended = suspended
operator-entry-hidden = not shown in the choice
operator-entry-withheld = not in use: its file no longer holds
operator-entry-no-key = no key can be used
operator-valid-until = The file holds until { $until }.
operator-key-signing = Signs
operator-key-encryption = Encrypts
operator-key-both = Signs and encrypts
operator-key-expires = { $days ->
        [0] The certificate expires today, { $on }.
        [1] The certificate expires tomorrow, { $on }.
       *[other] The certificate expires in { $days } days, on { $on }.
    }
operator-key-expired = The certificate expired on { $on }. The key works all the same: it is the key that counts.
operator-key-no-date = The key has no end date.
operator-key-seen = Last verified a message on { $at }.
operator-key-unseen = Has not verified a message yet.
operator-key-compromised = The key is marked as compromised and is not used.
operator-service-method-client_secret_basic = Shows who it is by a secret (Basic).
operator-service-method-client_secret_post = Shows who it is by a secret (POST).
operator-service-method-private_key_jwt = Shows who it is by a key of its own.
operator-record = What you may hand in
operator-record-lead = The organisation's record sets the bounds. If something is missing, ask the federation's operator to change the record.
operator-record-number = Organisation number
operator-record-domains = Domains for addresses and names
operator-record-scopes = Scopes, right of the @
operator-record-hsa = Beginnings of HSA-ids
operator-record-ceiling = Levels of assurance
operator-record-none = none
operator-leave-title = Done for today?
operator-leave-lead = The page is open in this browser until { $until }. If you leave it now, it opens again only with a new invitation.
operator-leave-button = Leave the page for good

## Handing in

operator-problem = Something needs mending: {""}
operator-problem-title = Something needs mending
operator-submit-title = Hand in metadata for { $organisation }
operator-submit-lead = Give us the file that your sign-in or your service has made. You learn at once whether something is wrong, on which line and how to mend it.
operator-file-label = File
operator-file-hint = SAML metadata (XML), or the details of an OpenID Connect service (JSON), at most { $megabytes } MB.
operator-file-drop = You can also drop the file here.
operator-other-ways = Give an address or paste it instead
operator-url-label = Address
operator-url-hint = An https address where the file lies. We fetch it once, now.
operator-text-label = What is in the file
operator-judge-button = Check
operator-submit-nothing-yet = Nothing is handed in yet. First you see what we find.
operator-give-nothing = Choose a file, give an address or paste what is in the file.
operator-give-several = Give us one thing at a time: a file, an address or pasted content.
operator-give-empty = The file is empty. Choose another, or make it anew.
operator-give-large = The file is larger than { $megabytes } MB. A whole federation's metadata is not handed in here, only that of your own organisation.
operator-give-binary = This is no text file but, for example, an archive or a document. Unpack it, and choose the XML or JSON file.
operator-give-not-utf8 = The file is not written in UTF-8. Save it anew with the encoding UTF-8.
operator-give-slow = The file did not arrive whole. Try again.
operator-give-room = Many are handing in files right now. Wait a minute and try again.
operator-give-broken = The form did not arrive whole. Choose the file again.
operator-fetch-address = { $url } is no address to fetch from. One begins with https:// and has neither user name nor password.
operator-fetch-not-public = { $host } leads to an address that cannot be reached from the internet. Put the file at a public address, or upload it.
operator-fetch-unresolved = There is no address for { $host }. Check the spelling.
operator-fetch-unreachable = { $host } cannot be reached, or has no valid certificate. Check the address, or upload the file.
operator-fetch-status = { $host } answers with status { $status } instead of the file. Check the address in a browser.
operator-fetch-redirect = { $host } sends us on to a place where we do not follow. Give the address that it ends at.
operator-fetch-large = { $host } sends more than { $megabytes } MB.
operator-fetch-encoding = { $host } sends something that cannot be unpacked. Upload the file instead.
operator-fetch-slow = { $host } answers too slowly. Try again, or upload the file.

## The report

operator-other-file = Choose another file
operator-review-title-refused = The file cannot be used yet
operator-review-title-asks = We need to know one thing more
operator-review-title-good = The file can be used
operator-review-lead-refused = { $errors ->
        [one] One error needs mending. Mend it where the file is made, and hand the file in again. Nothing was changed.
       *[other] { $errors } errors need mending. Mend them where the file is made, and hand the file in again. Nothing was changed.
    }
operator-review-lead-asks = The file does not say all that is needed. Answer here, and we check again.
operator-review-lead-good = Read what changes. Then hand it in, and another person approves it.
operator-review-file = { $file }, { $size } kB, checked on { $at }.
operator-questions = Fill in what is missing
operator-client-id-label = The service's name (client_id)
operator-client-id-hint = Best an https address in your domain, such as https://journal.example.
operator-subject-label = How is a person recognised at the next sign-in?
operator-subject-hint = Choose something that your sign-in always sends and that never changes its owner. The choice is fixed once the sign-in has joined.
operator-subject-subject_id = subject-id
operator-subject-pairwise_id = pairwise-id
operator-subject-persistent_name_id = a persistent NameID
operator-subject-org_affiliation = orgAffiliation (service ID)
operator-subject-employee_hsa_id = HSA-id
operator-judge-again = Check again
operator-change = What changes
operator-party-new = { $name } is new.
operator-party-renewed = { $name } gets a new version.
operator-holds = The change may stop sign-ins
operator-holds-lead = That is why two other people need to approve it. If you can, do this instead:
operator-note-label = A message to whoever approves
operator-note-hint = Not required. For example why you change the key.
operator-submit-button = Hand in
operator-submit-means = Nothing changes for those who sign in before another person has approved.
operator-findings = What we found
operator-group-error = { $count ->
        [one] 1 error
       *[other] { $count } errors
    }
operator-group-warning = { $count ->
        [one] 1 warning
       *[other] { $count } warnings
    }
operator-group-note = { $count ->
        [one] 1 note
       *[other] { $count } notes
    }
operator-group-more = And { $count } more. Mend these first.
operator-mend = How to mend it:
operator-place-file = the whole file
operator-place-line = line { $line }
operator-place-of = line { $line }, character { $column }
operator-document = The file, line by line
operator-document-caption = { $shown } of { $total } lines are shown: those that something is said of, and some around them.
operator-line = Line
operator-line-text = Content
operator-lines-between = { $count ->
        [one] 1 more line
       *[other] { $count } more lines
    }
operator-as-text = All of it as text, to copy
operator-copy = Copy the text
operator-copied = The text is copied

## A change

operator-received = Thank you, change { $number } is handed in
operator-received-next = { $needed ->
        [one] Now it waits for another person to approve it: the federation's operator, or a colleague who may approve.
       *[other] Now it waits for { $needed } other people to approve it, since it may stop sign-ins.
    }
operator-received-where = This page always shows how it goes. You find it from your organisation's page.
operator-proposal-title = Change { $number }
operator-needed = { $needed ->
        [one] One other person needs to approve it: the federation's operator, or a colleague who may approve.
       *[other] { $needed } other people need to approve it.
    }
operator-reason = The reason: { $reason }
operator-secret-title = The secret of { $client_id }
operator-secret-lead = Save it in a safe place now. It is shown here for a day, in this browser alone, and holds once the change is published.
operator-proposal-author = Handed in by
operator-proposal-at = When
operator-proposal-note = Message
operator-decide = Approve or decline
operator-decide-lead = { $author } has handed in the change. Read what changes, and ask if anything is unclear.
operator-approve = Approve the change
operator-publish = Publish the change
operator-decline = Decline
operator-reason-label = Why do you decline?
operator-reason-missing = Write why you decline, so that { $author } knows what needs to change.
operator-withdraw = Take the change back
operator-withdraw-means = Then nothing happens with it. You can hand the file in again.
operator-history = What has happened
operator-refused-own = You cannot approve what you have handed in yourself. Ask a colleague, or the federation's operator.
operator-refused-right = Your invitation gives no right to approve. Ask whoever invited you.
operator-refused-state = The change has been decided meanwhile. Here you see how it went.
operator-refused-registry = This cannot be done right now: { $why }
operator-refused-nothing = The file says the same as what is registered already. There is nothing to hand in.
operator-refused-many = The organisation has many changes waiting already. Take one back, or wait until they are decided.
operator-refused-stale = What the change is about has changed since it was handed in. Hand the file in again.
operator-refused-again = You have approved the change already. Another person needs to do so as well.
operator-refused-rules = The file no longer passes the rules. Hand it in again to see why.
operator-happened-made = Made
operator-happened-validated = Checked and handed in
operator-happened-approved = Approved
operator-happened-published = Published
operator-happened-published-despite = Published although it could stop sign-ins
operator-happened-superseded = Out of date, since something else was published
operator-happened-withdrawn = Taken back
operator-happened-declined = Declined
operator-document-whole = The whole file is shown, { $total } lines.

## Test sign-in

operator-message-shown-title = The result is shown once
operator-message-shown-what = It has been shown already, is older than ten minutes or belongs to another browser. Then it is gone.
operator-message-shown-next = Do another test sign-in if you want to see it again.
operator-message-shown-button = To my organisation's page
operator-try-link = Test the sign-in
operator-try-title = Test the sign-in
operator-try-lead = Sign in as usual at your own sign-in. Then you see what was checked, what was asserted and what would be released. No service learns anything.
operator-try-draft = You are testing change { $number } as it was handed in. Everybody else signs in as before.
operator-try-provider = Sign-in
operator-try-party = Service
operator-try-party-hint = Shows what that service would get. It hears nothing of the test.
operator-try-default = None in particular: what most services ask for
operator-try-button = Sign in as a test
operator-try-privacy = The result is shown once, in this browser alone, and is not kept.
operator-try-service = the test
operator-try-not-over = The change cannot be tested: it is decided, or what it is about has changed since it was handed in.
operator-try-not-other = The change cannot be tested: only a change of one sign-in that is registered already can be.
operator-try-not-bounds = The change cannot be tested beforehand: it changes more than keys, addresses and texts. It needs to be approved first.
operator-try-proposal = Test it before it is published
operator-try-proposal-lead = You can sign in with the new file in this browser. Nobody else notices anything.
operator-try-proposal-link = Test it in your browser
operator-tried-works = The sign-in works
operator-tried-fails = The sign-in would not work
operator-tried-once = This is shown once and is not kept.
operator-tried-draft = The test was of change { $number }, which is not published.
operator-tried-gone-title = The change is not the same any more
operator-tried-gone = Change { $number } was decided, taken back or overtaken while you signed in. Nothing was tested.
operator-tried-broken = This is where it stopped
operator-tried-expected = Expected
operator-tried-found = Found
operator-tried-rule = Rule
operator-tried-asserted = What your sign-in asserted
operator-tried-organisation = Organisation
operator-tried-nothing = nothing
operator-tried-level = Level of assurance
operator-tried-level-leaves = Is released as { $level }, if the service asks.
operator-tried-level-none = No level is released.
operator-tried-source = The person's identifier is made from
operator-tried-source-there = It was there, once.
operator-tried-source-missing = It was not there once: no sign-in works then.
operator-tried-when = The person signed in
operator-fate-leaves = Is released.
operator-fate-not_wanted = Is not released: the service does not ask for it, or may not have it.
operator-fate-not_kept = Is not released: the organisation's record does not allow it, or the value has the wrong form.
operator-fate-several = Is not released: it should have one value and had several.
operator-fate-outside = Is outside what the organisation answers for. That is why the sign-in is stopped.
operator-fate-login_failed = Is not released, since the sign-in is stopped.
operator-tried-unread = No sign-in reads these attributes:
operator-tried-leaves = What would be released
operator-tried-leaves-to = What would be released to { $party }
operator-tried-leaves-lead = The organisation's name and number come from the registry, not from your sign-in.
operator-tried-leaves-nothing = Nothing, since the sign-in is stopped.
operator-tried-subject = The person's identifier at the service
operator-tried-checks = The checks
operator-tried-passed = { $count ->
        [one] One check is kept.
       *[other] { $count } checks are kept.
    }
operator-tried-all = Show all checks
operator-check-passed = Kept
operator-check-failed = Broken
operator-check-not_applicable = Not concerned
operator-check-not_reached = Not reached
operator-tried-again = Test again
operator-tried-reference = Reference
operator-fate-not_agreed = Is not released: your organisation has not agreed that the service gets it.
