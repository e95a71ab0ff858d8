"""The peer: Django REST framework, which answers as Bodega does, from its own tables.

Written as its documentation has it: a ModelSerializer, a viewset, page numbers with an exact
count, ``select_related`` and ``prefetch_related``, connections that stay open.
"""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings

_URL = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    TIME_ZONE="UTC",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    SECRET_KEY="benchmark",
    INSTALLED_APPS=["rest_framework"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _URL.path.lstrip("/"), "USER": _URL.username, "PASSWORD": _URL.password or "",
            "HOST": _URL.hostname, "PORT": _URL.port or 5432, "CONN_MAX_AGE": None,
        }
    },
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ.get("REDIS_URL", ""),
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
)  # fmt: skip
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.cache import cache_page  # noqa: E402
from rest_framework import pagination, serializers, viewsets  # noqa: E402


class Category(models.Model):
    id = models.UUIDField(primary_key=True)
    slug = models.CharField(max_length=220)

    class Meta:
        app_label, db_table, managed = "peer", "products_category", False


class Product(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    sku = models.CharField(max_length=100)
    description = models.TextField()
    price_minor = models.BigIntegerField()
    compare_at_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    category = models.ForeignKey(Category, null=True, on_delete=models.DO_NOTHING)
    tag_names = models.JSONField(null=True)
    attributes = models.JSONField(null=True)
    image_url = models.CharField(max_length=2000)
    is_active = models.BooleanField()
    is_featured = models.BooleanField()
    is_digital = models.BooleanField()
    weight_grams = models.IntegerField(null=True)
    length_millimetres = models.IntegerField(null=True)
    width_millimetres = models.IntegerField(null=True)
    height_millimetres = models.IntegerField(null=True)
    meta_title = models.CharField(max_length=255)
    meta_description = models.CharField(max_length=500)
    popularity = models.BigIntegerField()
    organization = models.UUIDField(null=True)
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "peer", "products_product", False


class Variant(models.Model):
    id = models.UUIDField(primary_key=True)
    product = models.ForeignKey(Product, related_name="variants", on_delete=models.DO_NOTHING)
    sku = models.CharField(max_length=100)
    options = models.JSONField()
    position = models.IntegerField()

    class Meta:
        app_label, db_table, managed = "peer", "products_variant", False


class VariantSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Variant, ("id", "sku", "options", "position")


class ProductSerializer(serializers.ModelSerializer):
    price = serializers.SerializerMethodField()
    compare_at_price = serializers.SerializerMethodField()
    category = serializers.CharField(source="category.slug", default=None)
    tags = serializers.SerializerMethodField()
    attributes = serializers.SerializerMethodField()
    variants = VariantSerializer(many=True)

    class Meta:
        model = Product
        fields = (
            "id", "name", "slug", "sku", "description", "price", "compare_at_price", "currency",
            "category", "tags", "attributes", "image_url", "is_active", "is_featured",
            "is_digital", "weight_grams", "length_millimetres", "width_millimetres",
            "height_millimetres", "meta_title", "meta_description", "popularity", "organization",
            "variants", "created_at", "updated_at",
        )  # fmt: skip

    def get_price(self, row):
        return f"{row.price_minor // 100}.{row.price_minor % 100:02}"

    def get_compare_at_price(self, row):
        minor = row.compare_at_minor
        return None if minor is None else f"{minor // 100}.{minor % 100:02}"

    def get_tags(self, row):
        return row.tag_names or []

    def get_attributes(self, row):
        return row.attributes or {}


class Pages(pagination.PageNumberPagination):
    page_size, page_size_query_param, max_page_size = 20, "page_size", 200


class Products(viewsets.ReadOnlyModelViewSet):
    serializer_class, pagination_class = ProductSerializer, Pages

    def get_queryset(self):
        rows = Product.objects.filter(deleted_at=None, is_active=True)
        sent = self.request.query_params
        if "category" in sent:
            rows = rows.filter(category__slug=sent["category"])
        if "price_min" in sent:
            rows = rows.filter(price_minor__gte=float(sent["price_min"]) * 100)
        if "price_max" in sent:
            rows = rows.filter(price_minor__lte=float(sent["price_max"]) * 100)
        rows = rows.select_related("category").prefetch_related("variants")
        return rows.order_by("-created_at", "-id")


_LIST = Products.as_view({"get": "list"})
urlpatterns = [
    path("api/v1/products", _LIST),
    path("api/v1/products/<uuid:pk>", Products.as_view({"get": "retrieve"})),
    path("cached/products", cache_page(3600)(_LIST)),
]
app = get_wsgi_application()
