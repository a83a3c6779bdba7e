"""Who may ask here, and under which name it is written down."""

from typing import Annotated

from fastapi import Depends, Request

from gateway.access import Caller
from gateway.accounts import Actor
from gateway.http.reading.dependencies import caller_with


async def operator(request: Request, caller: Annotated[Caller, Depends(caller_with("admin"))]) -> Actor:
    """Raises ScopeMissing."""
    return Actor(id=caller.key.id, request_id=request.state.request_id)


Operator = Annotated[Actor, Depends(operator)]
