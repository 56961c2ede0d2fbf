"""Addresses of models, inside the admin's frame and behind its sign-in."""

from django.contrib import admin
from django.urls import path

from analytics.dashboards.modelling import comparison, fairness, models, trainings, versions

app_name = "models"
_wrap = admin.site.admin_view
urlpatterns = [
    path("", _wrap(models.index), name="index"),
    path("<int:model_id>/", _wrap(models.show), name="model"),
    path("<int:model_id>/steer/", _wrap(models.steer), name="steer"),
    path("<int:model_id>/compare/", _wrap(comparison.show), name="compare"),
    path("<int:model_id>/fairness/", _wrap(fairness.show), name="fairness"),
    path("new/<slug:purpose>/", _wrap(trainings.start), name="start"),
    path("training/<int:run_id>/", _wrap(trainings.show), name="training"),
    path("version/<int:version_id>/", _wrap(versions.show), name="version"),
    path("version/<int:version_id>/decide/", _wrap(versions.decide), name="decide"),
    path("version/<int:version_id>/points/", _wrap(versions.points), name="points"),
]
