"""Accounts of people: register, log in, refresh, log out, change the password, erase.

Invariants:
    * An account and its trader exist together: the account is written first; if the core refuses
      the trader, the account is erased again; if nobody knows whether the trader was made, the
      account stays and the next log-in makes it (the trader's id is in the account).
    * Refresh tokens are random, stored hashed, replaced at each use; a token used twice ends its
      login (`storage.logins`).
    * Every change is in the audit log, without anything personal.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from server.auth.checks import (
    check_password,
    checked_email,
    checked_handle,
    principal_of,
)
from server.auth.keys import RANDOM_BYTES, RANDOM_LENGTH, base62
from server.auth.passwords import LENGTH_MAX, Passwords
from server.auth.revocations import Revocations
from server.auth.tokens import AccessTokens
from storage.accounts import (
    Account,
    change_account,
    create_account,
    erase_account,
    find_account,
    find_account_by_email,
    find_account_by_trader,
)
from storage.audit import append_audit
from storage.errors import EmailTaken, HandleTaken, RefreshRefused
from storage.logins import (
    Login,
    create_login,
    list_logins,
    revoke_login,
    revoke_other_logins,
    rotate_refresh_token,
)
from storage.pool import Pool
from streams.core.commands import CloseTrader, RegisterTrader, UpdateTrader
from streams.core.money import MICROS
from streams.core.social import HANDLES_RESERVED
from streams.ports import Clock, CommandError, Principal
from streams.replica.edge import Edge
from streams.replica.replica import Replica


REFRESH_LIFE = timedelta(days=30)
"""Life of a login without use; each refresh begins it anew."""

Ended = Callable[[str], None]
"""Told the id of every login that ended here."""


class Tokens(msgspec.Struct, frozen=True):
    """What a client gets when it identifies itself.

    Attributes:
        trader: id of the trader it acts as.
        handle: the trader's handle.
        access_token: for the `Authorization` header and the stream's `auth`.
        refresh_token: for the next pair, once.
        expires_in: life of the access token in seconds.
    """

    trader: str
    handle: str
    access_token: str
    refresh_token: str
    expires_in: int


class Visitor(msgspec.Struct, frozen=True):
    """Where a request came from, as shown in the list of logins."""

    address: str
    user_agent: str


class Identity:
    """The accounts of a node. `ended` is told of each login that ends here."""

    def __init__(
        self,
        pool: Pool,
        replica: Replica,
        edge: Edge,
        tokens: AccessTokens,
        passwords: Passwords,
        revocations: Revocations,
        clock: Clock,
        *,
        opening_cash: int,
    ) -> None:
        """Prepare.

        Args:
            pool: connections to the primary.
            replica: knows the traders.
            edge: creates them.
            tokens: signs access tokens.
            passwords: hashes and checks.
            revocations: remembers what ended while its tokens live.
            clock: time of the edge.
            opening_cash: whole units of a new trader.
        """
        self._pool = pool
        self._replica = replica
        self._edge = edge
        self._tokens = tokens
        self._passwords = passwords
        self._revocations = revocations
        self._clock = clock
        self._cash_micros = opening_cash * MICROS
        self.ended: Ended = lambda _: None

    # Coming in

    async def register(
        self, *, email: str, handle: str, password: str, display_name: str, visitor: Visitor
    ) -> Tokens:
        """Create an account with its trader, and log it in.

        Raises:
            CommandError: `INVALID_ARGUMENT`, `EMAIL_TAKEN`, `HANDLE_TAKEN`, or as `Edge.submit`.
            StorageError: see storage.errors.
        """
        email, handle = checked_email(email), checked_handle(handle)
        check_password(password, email, handle)
        if handle in HANDLES_RESERVED or handle in self._replica.state.handles:
            raise _taken("HANDLE_TAKEN", "handle")
        stored = await self._passwords.hash(password)
        try:
            account = await create_account(
                self._pool,
                account_id=f"a_{secrets.token_hex(8)}",
                trader=f"t_{secrets.token_hex(8)}",
                email=email,
                handle=handle,
                password_hash=stored,
                display_name=display_name or handle,
            )
        except EmailTaken:
            raise _taken("EMAIL_TAKEN", "email") from None
        except HandleTaken:
            raise _taken("HANDLE_TAKEN", "handle") from None
        try:
            await self._ensure_trader(account)
        except CommandError as error:
            if error.code != "OUTCOME_UNKNOWN":
                await erase_account(self._pool, account.account_id)
            raise
        await self._audit(account, "account.created", account.account_id, visitor)
        return await self._log_in(account, visitor)

    async def log_in(self, *, email: str, password: str, visitor: Visitor) -> Tokens:
        """Check a password and begin a login.

        Raises:
            CommandError: `WRONG_CREDENTIALS`, or as `register`.
            StorageError: see storage.errors.
        """
        account = await find_account_by_email(self._pool, email.strip()[:LENGTH_MAX])
        stored = account.password_hash if account and account.status == "active" else None
        right = await self._passwords.verify(stored, password[: LENGTH_MAX + 1])
        if account is None or stored is None or not right:
            if account is not None:
                await self._audit(account, "login.refused", account.account_id, visitor)
            raise CommandError("WRONG_CREDENTIALS", "expected an e-mail address and its password")
        if self._passwords.outdated(stored):
            fresh = await self._passwords.hash(password)
            await change_account(self._pool, account.account_id, password_hash=fresh)
        await self._ensure_trader(account)
        return await self._log_in(account, visitor)

    async def refresh(self, token: str, visitor: Visitor) -> Tokens:
        """Replace a refresh token by the next pair.

        Raises:
            RefreshRefused: the token is not the newest of a live login.
            StorageError: see storage.errors.
        """
        fresh = _new_refresh_token()
        now = self._now()
        try:
            rotated = await rotate_refresh_token(
                self._pool,
                token_hash=_digest(token),
                new_hash=_digest(fresh),
                now=now,
                expires_at=now + REFRESH_LIFE,
            )
        except RefreshRefused as error:
            if error.code == "REFRESH_REUSED":
                self._end(error.login_id)
                await self._audit_id(error.account_id, "login.reused", error.login_id, visitor)
            raise
        account = await find_account(self._pool, rotated.account_id)
        if account is None:
            raise RefreshRefused("REFRESH_REVOKED")
        return self._pair(account, rotated.login_id, fresh)

    async def _log_in(self, account: Account, visitor: Visitor) -> Tokens:
        login_id, token, now = f"l_{secrets.token_hex(8)}", _new_refresh_token(), self._now()
        await create_login(
            self._pool,
            login_id=login_id,
            account_id=account.account_id,
            token_hash=_digest(token),
            now=now,
            expires_at=now + REFRESH_LIFE,
            user_agent=visitor.user_agent,
            address=visitor.address,
        )
        await self._audit(account, "login.created", login_id, visitor)
        return self._pair(account, login_id, token)

    def _pair(self, account: Account, login_id: str, refresh_token: str) -> Tokens:
        issued = self._tokens.issue(principal_of(account.trader, account.role, login_id))
        return Tokens(account.trader, account.handle, issued.text, refresh_token, issued.expires_in)

    async def _ensure_trader(self, account: Account) -> None:
        """Make the account's trader if the core does not know it yet.

        Raises:
            CommandError: `HANDLE_TAKEN` or another refusal, or as `Edge.submit`.
        """
        if account.trader in self._replica.state.traders:
            return
        command = RegisterTrader(
            trader=account.trader,
            handle=account.handle,
            name=account.display_name,
            origin="account",
            cash_micros=self._cash_micros,
        )
        outcome = await self._edge.submit(command, account.trader)
        if outcome.code not in ("OK", "TRADER_EXISTS"):
            raise CommandError(outcome.code, outcome.message, field=outcome.field)

    # Going out

    async def log_out(self, token: str, visitor: Visitor) -> None:
        """End the login of a refresh token; an unknown one is already ended.

        Raises:
            StorageError: see storage.errors.
        """
        try:
            rotated = await rotate_refresh_token(
                self._pool,
                token_hash=_digest(token),
                new_hash=_digest(_new_refresh_token()),
                now=self._now(),
                expires_at=self._now() + REFRESH_LIFE,
            )
        except RefreshRefused as error:
            if error.code == "REFRESH_REUSED":
                self._end(error.login_id)
            return
        await self.end_login(rotated.account_id, rotated.login_id, "log out", visitor)

    async def end_login(
        self, account_id: str, login_id: str, reason: str, visitor: Visitor
    ) -> bool:
        """End a login of an account with its sockets; return whether it was live.

        Raises:
            StorageError: see storage.errors.
        """
        live = await revoke_login(
            self._pool, account_id=account_id, login_id=login_id, now=self._now(), reason=reason
        )
        if live:
            self._end(login_id)
            await self._audit_id(account_id, "login.revoked", login_id, visitor)
        return live

    async def change_password(
        self, principal: Principal, current: str, new: str, visitor: Visitor
    ) -> int:
        """Change the password and end all other logins; return how many.

        Raises:
            CommandError: `FORBIDDEN`, `WRONG_CREDENTIALS` or `INVALID_ARGUMENT`.
            StorageError: see storage.errors.
        """
        account = await self.account_of(principal)
        if not await self._passwords.verify(account.password_hash, current[: LENGTH_MAX + 1]):
            raise CommandError(
                "WRONG_CREDENTIALS", "expected the present password", field="current_password"
            )
        check_password(new, account.email or "", account.handle, "new_password")
        stored = await self._passwords.hash(new)
        await change_account(self._pool, account.account_id, password_hash=stored)
        ended = await revoke_other_logins(
            self._pool,
            account_id=account.account_id,
            keep_login_id=principal.login,
            now=self._now(),
            reason="password changed",
        )
        for login_id in ended:
            self._end(login_id)
        await self._audit(account, "password.changed", account.account_id, visitor)
        return len(ended)

    async def erase(self, principal: Principal, visitor: Visitor) -> None:
        """Forget the person: profile text, address, password, logins and keys.

        The trader stays, without a name: its trades are part of other people's records.

        Raises:
            CommandError: `FORBIDDEN`, or as `Edge.submit`.
            StorageError: see storage.errors.
        """
        account = await self.account_of(principal)
        for login in await self.logins(account.account_id):
            self._end(login.login_id)
        nameless = UpdateTrader(name="erased", bio="", links=[], tags=[])
        await self._edge.submit(nameless, account.trader)
        await self._edge.submit(CloseTrader("erased"), account.trader)
        await erase_account(self._pool, account.account_id)
        self._end(principal.login)
        await self._audit(account, "account.erased", account.account_id, visitor)

    def _end(self, login_id: str) -> None:
        self._revocations.revoke(login_id)
        self.ended(login_id)

    # What is known

    async def account_of(self, principal: Principal) -> Account:
        """Return the account behind a principal.

        Raises:
            CommandError: `FORBIDDEN`, a development login or service has none.
            StorageError: see storage.errors.
        """
        account = await find_account_by_trader(self._pool, principal.trader)
        if account is None or account.status != "active":
            raise CommandError("FORBIDDEN", "expected the credential of an account")
        return account

    async def logins(self, account_id: str) -> list[Login]:
        """Return the live logins of an account, newest first.

        Raises:
            StorageError: see storage.errors.
        """
        return await list_logins(self._pool, account_id, now=self._now())

    async def _audit(self, account: Account, action: str, subject: str, visitor: Visitor) -> None:
        await self._audit_id(account.account_id, action, subject, visitor)

    async def _audit_id(
        self, account_id: str, action: str, subject: str, visitor: Visitor, **detail: Any
    ) -> None:
        await append_audit(
            self._pool,
            at=self._now(),
            actor=account_id,
            action=action,
            subject=subject,
            address=visitor.address,
            detail=detail,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)


def _taken(code: str, field: str) -> CommandError:
    return CommandError(code, f"{field}: expected an unused one, was taken", field=field)


def _new_refresh_token() -> str:
    random = int.from_bytes(secrets.token_bytes(RANDOM_BYTES))
    return f"optix_refresh_{base62(random, RANDOM_LENGTH)}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
