"""The routes below ``/auth``: logging in and out, and one's own account."""

from datetime import UTC, datetime
from typing import Any

from bodega_accounts import (
    avatars,
    limits,
    mails,
    profile,
    registering,
    resetting,
    second_factor,
    sessions,
)
from bodega_accounts import schemas as s
from bodega_accounts.logging_in import log_in, prove
from bodega_accounts.profile import account_of
from bodega_sdk import (
    AUTHENTICATED,
    PUBLIC,
    Parameter,
    Reply,
    Request,
    Route,
    audit,
    public_url,
    read_token,
    setting,
    transaction,
)
from bodega_sdk.errors import BadRequest, Conflict, FieldError, NotFound, Unauthenticated

_NO_STORE = {"Cache-Control": "no-store"}
_CHECK_MAIL = "If the address can be used, we have mailed to it; follow the mail."


def _tokens(body: dict[str, Any], status: int = 200) -> Reply:
    """Answer with tokens, which no cache must keep (RFC 6749 §5.1)."""
    return Reply(body, status, _NO_STORE)


def _shown(account: Any) -> dict[str, Any]:
    shown: dict[str, Any] = s.ProfileSchema().dump(profile.shown(account))
    return shown


def _agent(request: Request) -> str:
    return request.raw.user_agent or ""


# Coming and going.


def _log_in(request: Request) -> Reply:
    body = request.body
    login = body.get("email") or body.get("username") or ""
    account, pair = log_in(
        login, body["password"], body["code"], request.address, _agent(request)
    )  # fmt: skip
    return _tokens(pair | {"user": _shown(account)})


def _refresh(request: Request) -> Reply:
    return _tokens(sessions.refresh(request.body["refresh"], request.address))


def _verify(request: Request) -> dict[str, Any]:
    claims = read_token(request.body["token"], "access")
    ends = datetime.fromtimestamp(claims["exp"], UTC)
    told = {"active": True, "subject": claims["sub"], "roles": claims["roles"], "expires_at": ends}
    shown: dict[str, Any] = s.ClaimsSchema().dump(told)
    return shown


def _revoke(request: Request) -> Reply:
    sessions.revoke(request.body["refresh"])
    return Reply(status=204)


def _log_out(request: Request) -> Reply:
    account = account_of(request.identity)
    with transaction():
        if sessions.end_one(account.id, request.identity.session, "logged out"):
            audit("account.logged_out", f"account:{account.id}")
    return Reply(status=204)


def _register(request: Request) -> Reply:
    data = {k: v for k, v in request.body.items() if k != "password_confirm"}
    account = registering.register(data, request.address)
    if account is None:
        return Reply({"detail": _CHECK_MAIL}, 202, _NO_STORE)
    with transaction():
        pair = sessions.begin(account, request.address, _agent(request))
    return _tokens(pair | {"user": _shown(account), "detail": "Welcome."}, 201)


def _confirm(request: Request) -> dict[str, Any]:
    registering.confirm(request.body["token"])
    return {"detail": "Your address is confirmed; log in."}


def _ask_again(request: Request) -> Reply:
    registering.ask_again(request.body["email"], request.address)
    return Reply({"detail": _CHECK_MAIL}, 202)


def _ask_reset(request: Request) -> Reply:
    resetting.ask(request.body["email"], request.address)
    return Reply({"detail": _CHECK_MAIL}, 202)


def _reset(request: Request) -> dict[str, Any]:
    resetting.reset(request.body["token"], request.body["password"])
    return {"detail": "Your password is set, and every login was ended; log in."}


# One's own account.


def _me(request: Request) -> dict[str, Any]:
    return _shown(account_of(request.identity))


def _change_me(request: Request) -> dict[str, Any]:
    if not request.body:
        message = "Send at least one member to change."
        raise BadRequest(message, [FieldError("body", message)])
    return _shown(profile.change_profile(account_of(request.identity), request.body))


def _change_password(request: Request) -> dict[str, Any]:
    body, identity = request.body, request.identity
    account = account_of(identity)
    profile.change_password(account, identity.session, body["current_password"], body["password"])
    return {"detail": "Your password is changed, and your other logins were ended."}


def _ask_email(request: Request) -> Reply:
    account = account_of(request.identity)
    body, address = request.body, request.address
    profile.ask_for_email(account, body["email"], body["password"], address)
    return Reply({"detail": _CHECK_MAIL}, 202)


def _confirm_email(request: Request) -> dict[str, Any]:
    profile.confirm_email(request.body["token"])
    return {"detail": "Your new address is confirmed."}


def _deactivate(request: Request) -> Reply:
    profile.deactivate(account_of(request.identity), request.body["password"])
    return Reply(status=204)


def _avatar(request: Request) -> Reply:
    return Reply(content=avatars.read(account_of(request.identity)), media="image/webp")


def _keep_avatar(request: Request) -> dict[str, Any]:
    account = account_of(request.identity)
    picture = avatars.made_small(request.stream.read(avatars.LARGEST + 1))
    with transaction():
        avatars.keep(account, picture)
    return _shown(account)


def _remove_avatar(request: Request) -> Reply:
    with transaction():
        avatars.remove(account_of(request.identity))
    return Reply(status=204)


# Sessions.


def _sessions(request: Request) -> dict[str, Any]:
    found = list(sessions.living(account_of(request.identity).id))
    for row in found:
        row.current = str(row.id) == request.identity.session
    shown = s.OwnSessionSchema(many=True).dump(found)
    return {"count": len(shown), "next": None, "previous": None, "results": shown}


def _end_session(request: Request) -> Reply:
    account = account_of(request.identity)
    with transaction():
        if not sessions.end_one(account.id, str(request.params["id"]), "ended by its owner"):
            message = "There is no such session of yours, or it has ended."
            raise NotFound(message, [FieldError("id", message, str(request.params["id"]))])
        audit("session.ended", f"session:{request.params['id']}")
    return Reply(status=204)


def _end_sessions(request: Request) -> dict[str, Any]:
    account = account_of(request.identity)
    with transaction():
        number = sessions.end_all(account.id, "logged out everywhere")
        audit("account.logged_out", f"account:{account.id}", sessions=number)
    return {"detail": f"{number} session(s) ended."}


# The second factor.


def _second_factor(request: Request) -> dict[str, Any]:
    account = account_of(request.identity)
    told = {
        "enabled": account.second_factor,
        "since": account.totp_since,
        "recovery_codes_left": second_factor.left(account),
    }
    shown: dict[str, Any] = s.SecondFactorSchema().dump(told)
    return shown


def _begin_second_factor(request: Request) -> Reply:
    account = account_of(request.identity)
    prove(account, request.body["password"])
    issuer = setting("accounts.issuer") or public_url().partition("//")[2]
    return _tokens(second_factor.begin(account, issuer))


def _confirm_second_factor(request: Request) -> Reply:
    account = account_of(request.identity)
    limits.CODES.hit(str(account.id))
    with transaction():
        codes = second_factor.confirm(account, request.body["code"])
        mails.second_factor_changed(account, "turned on")
        audit("account.second_factor_added", f"account:{account.id}")
    limits.CODES.reset(str(account.id))
    return _tokens({"recovery_codes": codes})


def _prove_both(request: Request) -> Any:
    account = account_of(request.identity)
    prove(account, request.body["password"])
    if not account.second_factor:
        raise Conflict("Your account has no second factor.")
    limits.CODES.hit(str(account.id))
    if not second_factor.accepts(account, request.body["code"]):
        raise Unauthenticated("The code is wrong or was used before.")
    limits.CODES.reset(str(account.id))
    return account


def _renew_codes(request: Request) -> Reply:
    account = _prove_both(request)
    with transaction():
        codes = second_factor.renew_recovery_codes(account)
        audit("account.recovery_codes_renewed", f"account:{account.id}")
    return _tokens({"recovery_codes": codes})


def _remove_second_factor(request: Request) -> Reply:
    account = _prove_both(request)
    with transaction():
        second_factor.remove(account)
        mails.second_factor_changed(account, "removed")
        audit("account.second_factor_removed", f"account:{account.id}")
    return Reply(status=204)


def _public(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(method, f"/auth/{path}", handler, PUBLIC, summary, tag="auth", **more)


def _own(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        method, f"/auth/{path}", handler, AUTHENTICATED, summary, tag="auth", objects="own", **more
    )


ROUTES = (
    _public("POST", "register", _register, "Register", body=s.RegistrationSchema,
            returns=s.ToldSchema, status=202),
    _public("POST", "register/confirm", _confirm, "Confirm an address", body=s.TokenSchema,
            returns=s.ToldSchema),
    _public("POST", "register/resend", _ask_again, "Have the confirmation mailed again",
            body=s.EmailSchema, returns=s.ToldSchema, status=202),
    _public("POST", "login", _log_in, "Log in", body=s.LoginSchema, returns=s.TokensSchema),
    _public("POST", "refresh", _refresh, "Refresh tokens", body=s.RefreshSchema,
            returns=s.TokensSchema),
    _public("POST", "verify", _verify, "Check an access token", body=s.TokenSchema,
            returns=s.ClaimsSchema),
    _public("POST", "revoke", _revoke, "End the session of a refresh token",
            body=s.RefreshSchema, status=204),
    _own("POST", "logout", _log_out, "Log out", status=204),
    _public("POST", "password/reset", _ask_reset, "Ask for a new password", body=s.EmailSchema,
            returns=s.ToldSchema, status=202),
    _public("POST", "password/reset/confirm", _reset, "Set a new password",
            body=s.NewPasswordSchema, returns=s.ToldSchema),
    _own("GET", "me", _me, "Who am I", returns=s.ProfileSchema),
    _own("PATCH", "me", _change_me, "Change one's profile", body=s.ProfileSchema, partial=True,
         returns=s.ProfileSchema),
    _own("GET", "me/avatar", _avatar, "One's avatar", produces="image/webp",
         parameters=(Parameter("version", str, "Any; what changes with the picture."),)),
    _own("PUT", "me/avatar", _keep_avatar, "Set one's avatar", media="image/*",
         largest=avatars.LARGEST, returns=s.ProfileSchema),
    _own("DELETE", "me/avatar", _remove_avatar, "Remove one's avatar", status=204),
    _own("POST", "password", _change_password, "Change one's password",
         body=s.PasswordChangeSchema, returns=s.ToldSchema),
    _own("POST", "email", _ask_email, "Ask for another address", body=s.EmailChangeSchema,
         returns=s.ToldSchema, status=202),
    _public("POST", "email/confirm", _confirm_email, "Confirm another address",
            body=s.TokenSchema, returns=s.ToldSchema),
    _own("POST", "deactivate", _deactivate, "Close one's account", body=s.ProofSchema, status=204),
    _own("GET", "sessions", _sessions, "List one's logins", returns=s.OwnSessionSchema,
         listing=True),
    _own("DELETE", "sessions", _end_sessions, "Log out everywhere", returns=s.ToldSchema),
    _own("DELETE", "sessions/{id}", _end_session, "End one login", status=204),
    _own("GET", "second-factor", _second_factor, "One's second factor",
         returns=s.SecondFactorSchema),
    _own("POST", "second-factor", _begin_second_factor, "Begin with a second factor",
         body=s.ProofSchema, returns=s.SecretSchema),
    _own("POST", "second-factor/confirm", _confirm_second_factor, "Turn the second factor on",
         body=s.CodeSchema, returns=s.RecoveryCodesSchema),
    _own("POST", "second-factor/recovery-codes", _renew_codes, "Get new recovery codes",
         body=s.CodeAndProofSchema, returns=s.RecoveryCodesSchema),
    _own("POST", "second-factor/remove", _remove_second_factor, "Remove the second factor",
         body=s.CodeAndProofSchema, status=204),
)  # fmt: skip
