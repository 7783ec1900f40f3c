"""REST for customers: the list, one of them, writing and deleting one."""

from __future__ import annotations

from aiohttp import web

from cordboard.customer import FIELDS, BadCustomer
from cordboard.web.body import body_of
from cordboard.web.ports import CustomerList
from cordboard.web.query import whole
from cordboard.web.render import answer

LARGEST_PAGE = 500
ONE = "/api/customers/{customer}"


class CustomersApi:
    """One method per route."""

    def __init__(self, desk: CustomerList) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/customers", self.customers),
            web.get(ONE, self.customer),
            web.put(ONE, self.put),
            web.delete(ONE, self.delete),
        ]

    async def customers(self, request: web.Request) -> web.Response:
        """A page by id, and the cursor of the next one; or whoever has a number."""
        query = request.query
        limit = whole(query.get("limit"), "limit", 100)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        found = await self._desk.page(limit, query.get("after", ""), query.get("number"))
        after = found[-1].id if len(found) == limit else None
        return answer({"customers": [one.view() for one in found], "next": after})

    async def customer(self, request: web.Request) -> web.Response:
        return answer({"customer": (await self._desk.get(request.match_info["customer"])).view()})

    async def put(self, request: web.Request) -> web.Response:
        """The whole customer: what is left out is empty afterwards."""
        body = await body_of(request, set(FIELDS))
        try:
            written = await self._desk.put(request.match_info["customer"], body)
        except BadCustomer as bad:
            raise web.HTTPBadRequest(text=f"{bad}.") from None
        return answer({"customer": written.view()})

    async def delete(self, request: web.Request) -> web.Response:
        await self._desk.delete(request.match_info["customer"])
        return answer({})
