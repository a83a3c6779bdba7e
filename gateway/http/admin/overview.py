"""What there is and what is going on: plans, queue, webhooks, models, styles, retention, the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.http.admin.bodies import (
    AuditBody,
    ModelRowBody,
    ModelRowsBody,
    PlanListBody,
    QueueBody,
    QueueLineBody,
    RetentionBody,
    RetentionOfPlanBody,
    WebhooksBody,
    audit_body,
    plan_body,
    webhooks_body,
)
from gateway.http.admin.callers import Operator
from gateway.http.answering.answers import answer, described
from gateway.http.catalogue import StyleList
from gateway.http.reading.dependencies import Given
from gateway.http.reading.paging import ListBody, WantedPage
from gateway.offers import StyleListBody
from storage.idempotency import REMEMBERED_FOR
from storage.open_work import open_work
from storage.webhook_health import webhook_health

DAY_S = 86_400

routes = APIRouter(prefix="/v1/admin", tags=["admin"])


@routes.get("/plans", summary="List plans", response_model=PlanListBody, responses=described(401, 403))
async def list_plans(given: Given, _: Operator) -> Response:
    """As `plans.toml` said at the start of the server."""
    return answer(PlanListBody(data=[plan_body(plan) for plan in given.plans.all()]))


@routes.get("/queue", summary="Look at the queue", response_model=QueueBody, responses=described(401, 403))
async def read_queue(given: Given, _: Operator) -> Response:
    """Open generations by account, state and priority."""
    async with given.database.reading() as connection:
        lines = await open_work(connection)
    data = [QueueLineBody.model_validate(line, from_attributes=True) for line in lines]
    total = sum(line.count for line in lines)
    return answer(QueueBody(open=total, max_queued=given.settings.max_queued, data=data))


@routes.get("/webhooks", summary="Look at webhooks", response_model=WebhooksBody, responses=described(401, 403))
async def read_webhooks(given: Given, _: Operator) -> Response:
    """What is on its way, what has been given up, and which endpoints do not answer."""
    async with given.database.reading() as connection:
        return answer(webhooks_body(await webhook_health(connection)))


@routes.get("/models", summary="List models", response_model=ModelRowsBody, responses=described(401, 403))
async def list_models(given: Given, _: Operator) -> Response:
    """What the catalogue holds, and whether it is there."""
    resident = given.engine.state().resident_models
    data = [
        ModelRowBody(
            id=card.id,
            family=card.family.value,
            licence=card.licence,
            is_default=card.is_default,
            is_here=card.path.exists(),
            is_resident=card.id in resident,
        )
        for card in given.catalogue.cards()
    ]
    return answer(ModelRowsBody(data=data))


@routes.get("/styles", summary="List styles", response_model=StyleListBody, responses=described(401, 403))
async def list_styles(request: Request, _: Operator) -> Response:
    """As everybody sees them: which a model here can paint, and the least plan of each."""
    styles: StyleList = request.app.state.style_list
    return Response(styles.content, media_type="application/json")


@routes.get(
    "/retention", summary="Read how long things are kept", response_model=RetentionBody, responses=described(401, 403)
)
async def read_retention(given: Given, _: Operator) -> Response:
    plans = {
        plan.id: RetentionOfPlanBody(default_ttl_s=plan.default_ttl_s, max_ttl_s=plan.max_ttl_s)
        for plan in given.plans.all()
    }
    body = RetentionBody(
        idempotency_s=int(REMEMBERED_FOR.total_seconds()),
        decision_texts_s=given.settings.safety_text_days * DAY_S,
        decisions_s=given.settings.safety_record_days * DAY_S,
        plans=plans,
    )
    return answer(body)


@routes.get(
    "/audit", summary="Read the audit log", response_model=ListBody[AuditBody], responses=described(400, 401, 403, 404)
)
async def list_audit(
    given: Given,
    _: Operator,
    wanted: WantedPage,
    account: Annotated[str | None, Query(description="Only what was done to this account and its keys.")] = None,
) -> Response:
    """Everything that changed an account, a key or credits by hand, newest first."""
    found = await given.accounts.audit(account, limit=wanted.rows, before=wanted.before_number())
    return answer(wanted.page(found, audit_body, lambda entry: entry.number))
