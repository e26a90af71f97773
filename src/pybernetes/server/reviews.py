"""Questions about rights and identities that the API answers and never stores.

Source: pkg/registry/{authorization,authentication}. Rule: a review asks the very authorizer and the very tokens that
the chain uses, so ``kubectl auth can-i`` and a request agree.
Neighbours: ``registry`` calls these by ``Kind.resource``; ``authn/tokens.py`` answers ``serviceaccounts/token``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.authn.jwt import BadToken
from pybernetes.server.authn.tokens import Tokens
from pybernetes.server.authz.authorizer import MASTERS, Authorizer
from pybernetes.server.authz.rbac import Policy
from pybernetes.server.context import Info, Request, User
from pybernetes.server.registry.context import Review


class Reviews:
    def __init__(self, authorizer: Authorizer, tokens: Tokens) -> None:
        self._authorizer, self._tokens = authorizer, tokens

    def rows(self) -> Mapping[str, Review]:
        """By the name under which the registry asks."""
        return {
            "selfsubjectaccessreviews.authorization.k8s.io": self.self_access,
            "subjectaccessreviews.authorization.k8s.io": self.access,
            "localsubjectaccessreviews.authorization.k8s.io": self.local_access,
            "selfsubjectrulesreviews.authorization.k8s.io": self.self_rules,
            "selfsubjectreviews.authentication.k8s.io": self.self_subject,
            "tokenreviews.authentication.k8s.io": self.token,
            "serviceaccounts/token": self._tokens.create,
        }

    # ── rights ───────────────────────────────────────────────────────────────────────────────────────────

    async def self_access(self, request: Request, obj: Obj) -> Obj:
        """May I?"""
        return await self._decided(obj, _user(request), [])

    async def access(self, request: Request, obj: Obj) -> Obj:
        """May that user?"""
        return await self._decided(obj, _subject(obj), _subject_errors(obj))

    async def local_access(self, request: Request, obj: Obj) -> Obj:
        """May that user, in this namespace?"""
        assert request.info is not None
        wrong = list(_subject_errors(obj))
        asked = objects.get(obj, "spec", "resourceAttributes", "namespace", default="")
        if asked != request.info.namespace:
            wrong.append(
                errors.invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")
            )  # fmt: skip
        return await self._decided(obj, _subject(obj), wrong)

    async def _decided(self, obj: Obj, user: User, wrong: Iterable[errors.FieldError]) -> Obj:
        spec: Obj = obj.get("spec") or {}
        complaints = [*wrong, *_attribute_errors(spec)]
        if complaints:
            raise errors.invalid_object("authorization.k8s.io", str(obj.get("kind", "")), "", complaints)
        decision = await self._authorizer.decide(user, _info(spec))
        status: Obj = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        return _answered(obj, status)

    async def self_rules(self, request: Request, obj: Obj) -> Obj:
        """What may I in that namespace?"""
        namespace = objects.get(obj, "spec", "namespace", default="")
        if not namespace:
            raise errors.BadRequest("no namespace on request")
        rules = _rules(await self._authorizer.policy(), _user(request), str(namespace))
        of_paths = [r for r in rules if r.get("nonResourceURLs")]
        return _answered(
            obj,
            {
                "resourceRules": [r for r in rules if r not in of_paths],
                "nonResourceRules": of_paths,
                "incomplete": False,
            },
        )

    # ── identities ───────────────────────────────────────────────────────────────────────────────────────

    async def self_subject(self, request: Request, obj: Obj) -> Obj:
        """Who am I?"""
        return _answered(obj, {"userInfo": _user_info(_user(request))})

    async def token(self, request: Request, obj: Obj) -> Obj:
        """Whose token is that?"""
        spec: Obj = obj.get("spec") or {}
        text = str(spec.get("token") or "")
        if not text:
            raise errors.BadRequest("token is required for TokenReview in authentication")
        audiences = tuple(spec.get("audiences") or ()) or self._tokens.audiences
        try:
            user = self._tokens.review(text, audiences)
        except BadToken as error:
            return _answered(obj, {"user": {}, "error": str(error)})
        meant = [a for a in self._tokens.audiences_of(text) if a in audiences]
        return _answered(obj, {"authenticated": True, "user": _user_info(user), "audiences": meant})


def _user(request: Request) -> User:
    assert request.user is not None
    return request.user


def _answered(obj: Obj, status: Obj) -> Obj:
    metadata = {"creationTimestamp": None, **(obj.get("metadata") or {})}
    return {**obj, "metadata": metadata, "spec": obj.get("spec") or {}, "status": status}


def _user_info(user: User) -> Obj:
    info: Obj = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


# ── what is asked ────────────────────────────────────────────────────────────────────────────────────────


def _subject(obj: Obj) -> User:
    spec: Obj = obj.get("spec") or {}
    extra = {str(key).lower(): tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return User(str(spec.get("user") or ""), str(spec.get("uid") or ""), tuple(spec.get("groups") or ()), extra)


def _subject_errors(obj: Obj) -> Iterable[errors.FieldError]:
    spec: Obj = obj.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        yield errors.invalid("spec.user", "", "at least one of user or group must be specified")


def _attribute_errors(spec: Obj) -> Iterable[errors.FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        yield errors.invalid("spec.nonResourceAttributes", path, why)
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield errors.invalid("spec.resourceAttributes", None, why)


def _info(spec: Obj) -> Info:
    """The question as the chain would ask it."""

    def said(attributes: Any, key: str) -> str:
        return str(attributes.get(key) or "")

    if (path := spec.get("nonResourceAttributes")) is not None:
        return Info(is_resource=False, verb=said(path, "verb"), path=said(path, "path"))
    asked = spec["resourceAttributes"]
    resource, _, sub = said(asked, "resource").partition("/")
    return Info(
        True, said(asked, "verb"), "", said(asked, "group"), said(asked, "version"), said(asked, "namespace"),
        resource, said(asked, "subresource") or sub, said(asked, "name"),
    )  # fmt: skip


def _rules(policy: Policy, user: User, namespace: str) -> list[Obj]:
    """The rules of a user as the API tells them, each once."""
    found: list[Obj] = []
    if MASTERS in user.groups:
        found += [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
    for binding in policy.bindings_of(user, namespace):
        found += [rule for rule in policy.raw_rules(policy.role_of(binding)) if rule not in found]
    return found
